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
from allotment.server.etags import etag
from allotment.server.headers import preferred
from allotment.server.operation import closed, in_query, operation, ref
from allotment.server.requests import joined, query_of, whole
from allotment.store import Scope

router: Final = APIRouter()

_REVISION_MAX: Final = 10**17
_SHOWN_MAX: Final = 4
_YAML: Final = "application/yaml"
_FORMS: Final = ("application/json", _YAML)

_SNAPSHOT: Final = closed(
    {
        "space": {"type": "string"},
        "revision": {"type": "integer", "minimum": 0},
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
    """The catalog, its fingerprint and its failures; the ETag is the revision."""
    query = query_of(request, ("revision",))
    wanted = query.get("revision")
    revision = None if wanted is None else whole(wanted, "query.revision", 0, _REVISION_MAX)
    form = preferred(joined(request, "accept"), _FORMS)
    caller = await admit(request, Scope.READ)
    node = node_of(request)
    served = node.served(caller.space)
    asked = served.revision if revision is None else revision
    if asked <= served.revision and unchanged(request, _tag(asked, form)):
        return respond(Answer(304, _headers(asked, form), b""))

    shown: ShownCatalogs = request.app.state.shown
    now = served.engine.snapshot

    def show() -> Answer:
        return shown.of(served.space, now, form)

    def rebuild() -> Answer:
        known = shown.get(served.space, asked, form)
        if known is not None:
            return known
        earlier = node.store_at(served.space).catalog(asked)
        return shown.of(served.space, compile_catalog(earlier), form)

    if asked != served.revision:
        return respond(await node.rebuild(rebuild))
    answer = shown.get(served.space, asked, form, now)
    return respond(await node.show(show) if answer is None else answer)


class ShownCatalogs:
    """The last few whole catalogs as they are sent: each is made once, and its bytes are shared."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, int, str], tuple[Snapshot, Answer]] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self, space: str, revision: int, form: str, of: Snapshot | None = None
    ) -> Answer | None:
        """What was made for a revision, and of this snapshot if one is named; else None."""
        made = self._answers.get((space, revision, form))
        return made[1] if made is not None and (of is None or of is made[0]) else None

    def of(self, space: str, snapshot: Snapshot, form: str) -> Answer:
        """The answer, made now unless another thread has just made it."""
        answer = self.get(space, snapshot.revision, form, snapshot)
        if answer is None:
            answer = _show(space, snapshot, form)
            with self._lock:
                self._answers[space, snapshot.revision, form] = (snapshot, answer)
                while len(self._answers) > _SHOWN_MAX:
                    self._answers.popitem(last=False)
        return answer


def _show(space: str, snapshot: Snapshot, form: str) -> Answer:
    headers = _headers(snapshot.revision, form)
    if form == _YAML:
        text = catalogfile.show(snapshot.catalog).encode()
        return Answer(200, (("content-type", _YAML), *headers), text)
    tree = {
        "space": space,
        "revision": snapshot.revision,
        "fingerprint": f"{snapshot.fingerprint:032x}",
        "failures": snapshot.failures(),
        "catalog": to_plain(snapshot.catalog),
    }
    return as_json(tree, headers=headers)


def _tag(revision: int, form: str) -> str:
    """Two forms of one revision have two tags."""
    return etag(revision, "yaml" if form == _YAML else "")


def _headers(revision: int, form: str) -> tuple[tuple[str, str], ...]:
    tag = _tag(revision, form)
    return (("etag", tag), ("allotment-revision", str(revision)), ("vary", "Accept"))
