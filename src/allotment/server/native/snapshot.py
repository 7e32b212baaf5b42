"""`GET /v1/snapshot`: the whole catalog of a space, now or at an earlier revision."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Annotated, Any, Final

from fastapi import APIRouter
from pydantic import Field, WithJsonSchema
from starlette.requests import Request
from starlette.responses import Response

from allotment.compile import Snapshot, compile_catalog
from allotment.dialects import catalogfile
from allotment.dialects.wire.model import DIGITS, LEFT_OUT, Body, Maybe, Model
from allotment.model.plain import to_plain
from allotment.server.api.fields import Revision
from allotment.server.api.operation import ref
from allotment.server.api.route import UNCHANGED, Query, Reader, Route
from allotment.server.http.answer import Answer, as_json, respond
from allotment.server.http.etags import catalog_version, etag
from allotment.server.http.headers import preferred
from allotment.server.http.limits import REVISION_MAX
from allotment.server.http.requests import joined
from allotment.server.writes.change import node_of, unchanged
from allotment.store import Head

router: Final = APIRouter(route_class=Route, tags=["native"])

_SHOWN_MAX: Final = 4
_YAML: Final = "application/yaml"
_FORMS: Final = ("application/json", _YAML)


class SnapshotQuery(Body):
    """Which revision is asked for."""

    revision: Annotated[
        Maybe[Annotated[int, Field(ge=0, le=REVISION_MAX), DIGITS]],
        Field(description="An earlier revision."),
    ] = LEFT_OUT


class WholeCatalog(Model):
    """A catalog at a revision."""

    space: str
    revision: Revision
    lineage: Annotated[
        str,
        Field(
            pattern="^([0-9a-f]{32})?$",
            description="A hash over all changes up to the revision; empty at revision 0.",
        ),
    ]
    fingerprint: Annotated[
        str,
        Field(
            pattern="^[0-9a-f]{32}$",
            description="A hash over everything that decides assignments, and nothing else.",
        ),
    ]
    failures: Annotated[
        dict[str, str],
        Field(description="The experiments that could not be compiled, each with the reason."),
    ]
    catalog: Annotated[Any, WithJsonSchema({"allOf": [ref("Catalog")]})]


@router.get(
    "/v1/snapshot",
    summary="Get the whole catalog",
    response_model=WholeCatalog,
    responses={200: {"content": {_YAML: {"schema": {"type": "string"}}}}, **UNCHANGED},
    openapi_extra={"refused": (406,)},
)
async def get_snapshot(
    request: Request, caller: Reader, query: Annotated[SnapshotQuery, Query(SnapshotQuery)]
) -> Response:
    """`Accept: application/yaml` gets the catalog file.

    A client that follows the server sends the ETag as `If-None-Match`: 304 says no change.
    """
    # The ETag is the revision and its lineage.
    revision = query.revision
    form = preferred(joined(request, "accept"), _FORMS)
    node = node_of(request)
    served = node.served(caller.space)
    shown: ShownCatalogs = request.app.state.shown
    head, now = served.stored.head, served.engine.snapshot
    if revision in (None, head.revision):
        if unchanged(request, _tag(head, form)):
            return respond(Answer(304, _headers(head, form), b""))
        known = shown.get(served.space, head, form)
        if known is None:
            known = await node.show(shown.made, served.space, head, form, now)
        request.scope["shared"] = known.body
        return respond(known)

    def rebuild() -> Answer:
        store = node.store_at(served.space)
        asked = store.head(revision)
        if unchanged(request, _tag(asked, form)):
            return Answer(304, _headers(asked, form), b"")
        known = shown.get(served.space, asked, form)
        if known is not None:
            return known
        return shown.made(served.space, asked, form, compile_catalog(store.catalog(revision)))

    return respond(await node.rebuild(rebuild))


class ShownCatalogs:
    """The last few whole catalogs as they are sent: each is made once, and its bytes are shared.

    A revision with its lineage names one catalog for ever.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, Head, str], Answer] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, space: str, head: Head, form: str) -> Answer | None:
        """What was made for a revision; None where that was not made, or long ago."""
        return self._answers.get((space, head, form))

    def made(self, space: str, head: Head, form: str, snapshot: Snapshot) -> Answer:
        """The answer, made now unless another thread has just made it."""
        answer = self.get(space, head, form)
        if answer is None:
            answer = _show(space, head, form, snapshot)
            with self._lock:
                self._answers[space, head, form] = answer
                while len(self._answers) > _SHOWN_MAX:
                    self._answers.popitem(last=False)
        return answer


def _show(space: str, head: Head, form: str, snapshot: Snapshot) -> Answer:
    headers = _headers(head, form)
    if form == _YAML:
        text = catalogfile.show(snapshot.catalog).encode()
        return Answer(200, (("content-type", _YAML), *headers), text)
    whole = WholeCatalog(
        space=space,
        revision=head.revision,
        lineage=head.lineage,
        fingerprint=f"{snapshot.fingerprint:032x}",
        failures=snapshot.failures(),
        catalog=to_plain(snapshot.catalog),
    )
    return as_json(whole, headers=headers)


def _tag(head: Head, form: str) -> str:
    """Two forms of one revision have two tags."""
    return etag(catalog_version(head), "yaml" if form == _YAML else "")


def _headers(head: Head, form: str) -> tuple[tuple[str, str], ...]:
    tag = _tag(head, form)
    return (("etag", tag), ("allotment-revision", str(head.revision)), ("vary", "Accept"))
