"""`GET /v1/snapshot`: the whole catalog of a space, now or at an earlier revision."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from allotment.compile import Snapshot, compile_catalog
from allotment.dialects import catalogfile
from allotment.model.plain import to_plain
from allotment.server.answer import Answer, as_json, respond
from allotment.server.conditional import admit, node_of, unchanged
from allotment.server.etags import catalog_version, etag
from allotment.server.headers import preferred
from allotment.server.operation import closed, in_query, operation, ref
from allotment.server.requests import joined, query_of, whole
from allotment.store import Head, Scope

router: Final = APIRouter()

_REVISION_MAX: Final = 10**17
_SHOWN_MAX: Final = 4
_YAML: Final = "application/yaml"
_FORMS: Final = ("application/json", _YAML)

_SNAPSHOT: Final = closed(
    {
        "space": {"type": "string"},
        "revision": {"type": "integer", "minimum": 0},
        "lineage": {
            "description": "A hash over all changes up to the revision; empty at revision 0.",
            "type": "string",
            "pattern": "^([0-9a-f]{32})?$",
        },
        "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "failures": {
            "description": "The experiments that could not be compiled, each with the reason.",
            "type": "object",
            "additionalProperties": {"type": "string"},
        },
        "catalog": ref("Catalog"),
    }
)
_YAML_ANSWER: Final = {_YAML: {"schema": {"type": "string"}}}


@router.get(
    "/v1/snapshot",
    response_class=Response,
    operation_id="get_snapshot",
    openapi_extra=operation(
        "Get the whole catalog",
        Scope.READ,
        {200: _SNAPSHOT, 304: None},
        description="`Accept: application/yaml` gets the catalog file.",
        parameters=(
            in_query("revision", {"type": "integer", "minimum": 0}, "An earlier revision."),
        ),
        more={200: _YAML_ANSWER},
        refused=(406,),
    ),
)
async def get_snapshot(request: Request) -> Response:
    """The catalog, its fingerprint and its failures; the ETag is the revision and its lineage."""
    query = query_of(request, ("revision",))
    wanted = query.get("revision")
    revision = None if wanted is None else whole(wanted, "query.revision", 0, _REVISION_MAX)
    form = preferred(joined(request, "accept"), _FORMS)
    caller = await admit(request, Scope.READ)
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
    tree = {
        "space": space,
        "revision": head.revision,
        "lineage": head.lineage,
        "fingerprint": f"{snapshot.fingerprint:032x}",
        "failures": snapshot.failures(),
        "catalog": to_plain(snapshot.catalog),
    }
    return as_json(tree, headers=headers)


def _tag(head: Head, form: str) -> str:
    """Two forms of one revision have two tags."""
    return etag(catalog_version(head), "yaml" if form == _YAML else "")


def _headers(head: Head, form: str) -> tuple[tuple[str, str], ...]:
    tag = _tag(head, form)
    return (("etag", tag), ("allotment-revision", str(head.revision)), ("vary", "Accept"))
