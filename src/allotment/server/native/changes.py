"""`GET /v1/changes` and `GET /v1/lists/{digest}`: what a client that follows the server loads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from pydantic import Field, WithJsonSchema
from starlette.requests import Request
from starlette.responses import Response

from allotment.change import sent
from allotment.change.kinds import KINDS
from allotment.dialects.wire.model import DIGITS, LEFT_OUT, Body, Maybe
from allotment.errors import InvalidInput, NotFound, Overloaded, StoreError
from allotment.model.segment import IdList
from allotment.server.api.fields import LINEAGE, CatalogHead, Revision
from allotment.server.api.operation import closed, ref
from allotment.server.api.route import UNCHANGED, Query, Reader, Route
from allotment.server.http.answer import Answer, as_json, respond
from allotment.server.http.etags import catalog_version, etag, has_version
from allotment.server.http.headers import admits, read_tags
from allotment.server.http.limits import REVISION_MAX
from allotment.server.http.requests import joined
from allotment.server.native.shared_answers import GZIP, SharedAnswers, compressed
from allotment.server.sync.node import Node
from allotment.server.sync.spaces import Served
from allotment.server.writes.change import node_of
from allotment.store import Head

router: Final = APIRouter(route_class=Route, tags=["native"])

# A text that is named by its digest never changes.
_FOR_EVER: Final = ("cache-control", "private, immutable, max-age=31536000")
_ASK_AGAIN: Final = ("cache-control", "private, no-cache")
_VARY: Final = ("vary", "Accept-Encoding")

_LONG: Final = closed(
    {
        "list": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "count": {"type": "integer", "minimum": 0},
    },
    description="A long list of ids by the SHA-256 of its text, which `/v1/lists` has.",
)


def _changed(kind: str) -> dict[str, Any]:
    noun: dict[str, Any] = ref(KINDS[kind].__name__)
    if kind == "segment":
        long = {"anyOf": [_LONG, {"type": "array", "items": {"type": "string"}}]}
        noun = {"type": "object", "properties": {"include": long, "exclude": long}}
    return {"type": "object", "additionalProperties": {"anyOf": [noun, {"type": "null"}]}}


_CATALOG: Final = closed(
    {
        "kept": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
        **{f"{kind}s": _changed(kind) for kind in KINDS},
    },
    "kept",
)


class ChangesQuery(Body):
    """What the client has."""

    since: Annotated[
        Maybe[Annotated[int, Field(ge=0, le=REVISION_MAX), DIGITS]],
        Field(description="The revision that the client has; with its `lineage`."),
    ] = LEFT_OUT
    lineage: Annotated[
        Maybe[Annotated[str, Field(pattern=LINEAGE)]],
        Field(description="The lineage of that revision."),
    ] = LEFT_OUT


class Changes(CatalogHead):
    """A catalog, or what of it changed."""

    since: Annotated[
        Revision | None,
        Field(description="The revision that this adds to; null where the catalog is whole."),
    ]
    catalog: Annotated[
        Any,
        WithJsonSchema(_CATALOG),
        Field(description="Nouns in their plain form; null for one that is no longer there."),
    ]


@router.get(
    "/v1/changes",
    summary="Get what changed since a revision",
    response_model=Changes,
    responses=UNCHANGED,
)
async def get_changes(
    request: Request, caller: Reader, query: Annotated[ChangesQuery, Query(ChangesQuery)]
) -> Response:
    """The whole catalog where `since` is left out, or names what this store has not had.

    A client that follows the server sends the ETag as `If-None-Match`: 304 says no change.
    """
    node, since = node_of(request), _since(query)
    coded = admits(joined(request, "accept-encoding"), GZIP)
    if since is not None and since.revision > node.served(caller.space).revision:
        # The client heard of a revision from another process, and this one has not read it yet.
        with suppress(StoreError, Overloaded):
            await node.catch_up()
    served = node.served(caller.space)
    head = served.stored.head
    headers = (("etag", etag(catalog_version(head))), ("allotment-revision", str(head.revision)))
    if _has(request, catalog_version(head)):
        return respond(Answer(304, (*headers, _ASK_AGAIN, _VARY), b""))
    made: SharedAnswers = request.app.state.shared_answers

    def write(since: int | None, names: sent.Names) -> Callable[[], Answer]:
        return lambda: _write(served, since, names, headers, coded=coded)

    async def difference() -> Answer:
        assert since is not None
        names = await node.run(_written, node, served.space, since, head)
        if names is None:
            return await whole()
        return await node.show(write(since.revision, names))

    async def whole() -> Answer:
        key = (served.space, head, None, coded)
        return await made.of(key, lambda: node.show(write(None, ())))

    if since is None:
        answer = await whole()
    else:
        answer = await made.of((served.space, head, since, coded), difference)
    request.scope["shared"] = answer.body
    return respond(answer)


def _since(query: ChangesQuery) -> Head | None:
    if (query.since is None) is not (query.lineage is None):
        missing = "since" if query.since is None else "lineage"
        raise InvalidInput("a revision is given with its lineage: both or none", f"query.{missing}")
    return None if query.since is None else Head(query.since, query.lineage or "")


def _written(node: Node, space: str, since: Head, head: Head) -> Sequence[tuple[str, str]] | None:
    """What was written between two revisions; None where the store does not say."""
    try:
        return node.store_at(space).written(since, head)
    except StoreError:
        return None


def _write(
    served: Served,
    since: int | None,
    names: sent.Names,
    headers: tuple[tuple[str, str], ...],
    *,
    coded: bool,
) -> Answer:
    tree = {
        "space": served.space,
        "lineage": served.stored.lineage,
        "fingerprint": f"{served.fingerprint:032x}",
        **sent.write(served.stored.catalog, since, names),
    }
    answer = as_json(tree, headers=(*headers, _ASK_AGAIN, _VARY))
    return compressed(answer) if coded else answer


@router.get(
    "/v1/lists/{digest}",
    summary="Get a long list of ids",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **UNCHANGED},
)
async def get_list(
    request: Request,
    caller: Reader,
    digest: Annotated[str, Path(description="The SHA-256 of its text, in hex.")],
) -> Response:
    """The ids of a segment's list, a line each, sorted; `/v1/changes` names it by its digest."""
    node = node_of(request)
    lists: Lists = request.app.state.lists
    coded = admits(joined(request, "accept-encoding"), GZIP)
    found = await node.show(lists.get, node.served(caller.space), digest)
    if found is None:
        # The client heard of a revision from another process, and this one has not read it yet.
        with suppress(StoreError, Overloaded):
            await node.catch_up()
        found = await node.show(lists.get, node.served(caller.space), digest)
    if found is None:
        raise NotFound("no segment has this list now; ask /v1/changes again")
    headers = (("etag", etag(digest)), _FOR_EVER, _VARY)
    if _has(request, digest):
        return respond(Answer(304, headers, b""))
    text = ("content-type", "text/plain; charset=utf-8")
    answer = Answer(200, (text, *headers), found.text)
    if coded:
        made: SharedAnswers = request.app.state.shared_answers
        plain = answer
        answer = await made.of(digest, lambda: node.show(compressed, plain))
    request.scope["shared"] = answer.body
    return respond(answer)


class Lists:
    """The long lists of the spaces by digest. They are asked for in one thread."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, IdList]] = {}

    def get(self, served: Served, digest: str) -> IdList | None:
        """A list of the space; None where it has none of that digest."""
        known = self._known.get(served.space, {})
        if digest not in known:
            digests = {id(ids): digest for digest, ids in known.items()}
            lists = list(sent.long_lists(served.stored.catalog))
            known = {digests.get(id(ids)) or sent.digest_of(ids): ids for ids in lists}
            self._known[served.space] = known
        return known.get(digest)


def _has(request: Request, version: str) -> bool:
    """Whether `If-None-Match` names the version: however it was coded, it is the same."""
    header = joined(request, "if-none-match")
    return header is not None and has_version(
        read_tags(header, "If-None-Match"), version, weakly=True
    )
