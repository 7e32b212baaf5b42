"""`GET /v1/snapshot`: the whole catalog of a space, now or at an earlier revision."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any, Final

from fastapi import APIRouter
from pydantic import Field, WithJsonSchema
from starlette.requests import Request
from starlette.responses import Response

from allotment.compile import Snapshot, compile_catalog
from allotment.dialects.wire.model import DIGITS, LEFT_OUT, Body, Maybe
from allotment.model.plain import to_plain
from allotment.server.api.fields import CatalogHead
from allotment.server.api.operation import ref
from allotment.server.api.route import UNCHANGED, Query, Reader, Route
from allotment.server.http.answer import Answer, as_json, respond
from allotment.server.http.etags import catalog_version, etag
from allotment.server.http.headers import preferred
from allotment.server.http.limits import REVISION_MAX
from allotment.server.http.requests import joined
from allotment.server.native.shared_answers import SharedAnswers
from allotment.server.writes.change import node_of, unchanged
from allotment.store import Head

router: Final = APIRouter(route_class=Route, tags=["native"])

_YAML: Final = "application/yaml"
_FORMS: Final = ("application/json", _YAML)


class SnapshotQuery(Body):
    """Which revision is asked for."""

    revision: Annotated[
        Maybe[Annotated[int, Field(ge=0, le=REVISION_MAX), DIGITS]],
        Field(description="An earlier revision."),
    ] = LEFT_OUT


class WholeCatalog(CatalogHead):
    """A catalog at a revision."""

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
    # The ETag is the revision and its lineage, which name one catalog for ever.
    form = preferred(joined(request, "accept"), _FORMS)
    node = node_of(request)
    served = node.served(caller.space)
    space, head, revision = served.space, served.stored.head, query.revision
    is_past = revision not in (None, head.revision)
    if is_past:
        head = await node.run(lambda: node.store_at(space).head(revision))
    if unchanged(request, _tag(head, form)):
        return respond(Answer(304, _headers(head, form), b""))

    def rebuild() -> Answer:
        return _show(space, head, form, compile_catalog(node.store_at(space).catalog(revision)))

    def make() -> Awaitable[Answer]:
        if is_past:
            return node.rebuild(rebuild)
        return node.show(_show, space, head, form, served.engine.snapshot)

    made: SharedAnswers = request.app.state.shared_answers
    answer = await made.of((space, head, form), make)
    request.scope["shared"] = answer.body
    return respond(answer)


def _show(space: str, head: Head, form: str, snapshot: Snapshot) -> Answer:
    headers = _headers(head, form)
    if form == _YAML:
        from allotment.dialects import catalogfile  # noqa: PLC0415  # few ask for the file

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
