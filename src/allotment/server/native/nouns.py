"""`/v1/catalog/flags` and so on: nouns one by one, as the catalog file spells them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from allotment.change.commands import Command, Delete
from allotment.change.kinds import KINDS, nouns_of
from allotment.change.lifecycle import Policy
from allotment.dialects.wire.model import DIGITS, LEFT_OUT, Body, Maybe
from allotment.server.api.operation import closed, spelled
from allotment.server.api.route import UNCHANGED, Content, Editor, Query, Reader, Route
from allotment.server.http.answer import JSON, Answer, as_json, respond
from allotment.server.http.etags import etag
from allotment.server.http.limits import BODY_BYTES_MAX, BODY_DEPTH_MAX, LISTS_BYTES_MAX
from allotment.server.native.spelled import keys_from, noun_of, read_noun, show_noun
from allotment.server.writes.change import (
    ShownChange,
    change,
    holding,
    node_of,
    tree_of,
    unchanged,
    version_of,
)
from allotment.store import Stored

router: Final = APIRouter(route_class=Route, tags=["native"])

Key = Annotated[str, Path(description="The noun's key.", json_schema_extra=spelled("key"))]


class NounQuery(Body):
    """A page of nouns."""

    limit: Annotated[
        int, Field(ge=1, le=1_000, description="How many there are on a page."), DIGITS
    ] = 100
    after: Annotated[Maybe[str], Field(description="The `next` of the page before.")] = LEFT_OUT


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _add(kind: str) -> None:
    """The routes of one kind of noun."""
    shown: Any = {"content": {JSON: {"schema": spelled(kind)}}}
    at = f"/v1/catalog/{kind}s/{{key}}"

    @router.get(
        f"/v1/catalog/{kind}s",
        summary=f"List the {kind}s",
        operation_id=f"list_{kind}s",
        response_class=Response,
        responses={200: {"content": {JSON: {"schema": _page_schema(kind)}}}},
    )
    async def list_nouns(
        request: Request, caller: Reader, query: Annotated[NounQuery, Query(NounQuery)]
    ) -> Response:
        """They are sorted by key, and come a page at a time."""
        node = node_of(request)
        stored = node.served(caller.space).stored
        return respond(await node.run(_page, stored, kind, query))

    @router.get(
        at,
        summary=f"Get {_a(kind)}",
        operation_id=f"get_{kind}",
        response_class=Response,
        responses={200: shown, **UNCHANGED},
    )
    async def get_noun(request: Request, caller: Reader, key: Key) -> Response:
        """`If-None-Match` with its version answers 304."""
        node = node_of(request)
        stored = node.served(caller.space).stored
        noun = noun_of(stored.catalog, kind, key)
        tag = etag(version_of(stored, (kind, key)))
        headers = (("etag", tag), ("allotment-revision", str(stored.catalog.revision)))
        if unchanged(request, tag):
            return respond(Answer(304, headers, b""))
        return respond(await node.run(lambda: as_json(show_noun(noun), headers=headers)))

    @router.put(
        at,
        summary=f"Create or replace {_a(kind)}",
        operation_id=f"put_{kind}",
        response_class=Response,
        responses={200: shown, 201: {**shown, "description": "It was not there before."}},
        openapi_extra={"content": Content({JSON: spelled(kind)})},
    )
    async def put_noun(request: Request, caller: Editor, key: Key) -> Response:
        """The body is the whole of it. Salts, slots and ranges that it lacks stay as they are."""
        limit = LISTS_BYTES_MAX if kind == "segment" else BODY_BYTES_MAX
        was_there = False

        def read(stored: Stored) -> Sequence[Command]:
            nonlocal was_there
            was_there = key in nouns_of(stored.catalog, kind)
            return read_noun(kind, key, held[0], stored.catalog)

        def show(stored: Stored, _commands: Sequence[Command]) -> ShownChange:
            shown = show_noun(noun_of(stored.catalog, kind, key))
            return ShownChange(shown, (kind, key), 200 if was_there else 201)

        async with holding(request) as held:
            held.append(await tree_of(request, limit, BODY_DEPTH_MAX))
            return await change(
                request,
                caller,
                policy=Policy.NATIVE,
                dialect="native",
                read=read,
                show=show,
                about=lambda _stored: (kind, key),
            )

    @router.delete(
        at,
        summary=f"Delete {_a(kind)}",
        operation_id=f"delete_{kind}",
        status_code=204,
        response_class=Response,
    )
    async def delete_noun(request: Request, caller: Editor, key: Key) -> Response:
        """It is refused while something refers to it. The key may be used again."""

        def read(stored: Stored) -> Sequence[Command]:
            noun_of(stored.catalog, kind, key)
            return (Delete(kind, key),)

        return await change(
            request,
            caller,
            policy=Policy.NATIVE,
            dialect="native",
            read=read,
            show=lambda _stored, _commands: ShownChange(None),
            status=204,
            about=lambda _stored: (kind, key),
        )


def _page(stored: Stored, kind: str, query: NounQuery) -> Answer:
    keys = keys_from(stored.catalog, kind, query.after or "", query.limit + 1)
    nouns = {key: show_noun(noun_of(stored.catalog, kind, key)) for key in keys[: query.limit]}
    following = keys[query.limit - 1] if len(keys) > query.limit else None
    headers = [("allotment-revision", str(stored.catalog.revision))]
    return as_json({f"{kind}s": nouns, "next": following}, headers=headers)


def _page_schema(kind: str) -> dict[str, Any]:
    following = {"type": ["string", "null"], "description": "Where the next page begins."}
    nouns = {
        "type": "object",
        "propertyNames": spelled("key"),
        "additionalProperties": spelled(kind),
    }
    return closed({f"{kind}s": nouns, "next": following})


for _kind in KINDS:
    _add(_kind)
