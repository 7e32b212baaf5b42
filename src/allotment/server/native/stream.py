"""`GET /v1/stream`: tells a client that follows the server when there is a new revision."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.requests import Request
from starlette.responses import Response

from allotment.change.kinds import KINDS
from allotment.errors import InvalidInput, Overloaded, StoreError
from allotment.server.api.operation import closed
from allotment.server.api.route import Reader, Route
from allotment.server.auth.access import Access, Caller
from allotment.server.http.answer import JSON, encode
from allotment.server.http.asgi import Receive, Scope, Send
from allotment.server.http.etags import EVENT_ID, catalog_version
from allotment.server.http.limits import REVISION_MAX
from allotment.server.http.requests import header, single
from allotment.server.streams import Followed, Streams
from allotment.server.writes.change import node_of
from allotment.store import Head
from allotment.store import Scope as Needs

router: Final = APIRouter(route_class=Route, tags=["native"])

_ID: Final = re.compile(EVENT_ID.removesuffix("$") + r"\Z")

# nginx keeps what it reads until a buffer is full, unless an answer says that it should not.
_HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}

_KEYS: Final = {"type": "array", "items": {"type": "string"}}
_DATA: Final = closed(
    {
        "space": {"type": "string"},
        "revision": {"type": "integer", "minimum": 0},
        "lineage": {"type": "string", "pattern": "^([0-9a-f]{32})?$"},
        "touched": {"anyOf": [closed({f"{kind}s": _KEYS for kind in KINDS}), {"type": "null"}]},
    }
)
# As the next version of OpenAPI has it: the schema is of one event.
_EVENT: Final = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": EVENT_ID},
        "event": {"const": "revision"},
        "data": {"type": "string", "contentMediaType": JSON, "contentSchema": _DATA},
        "retry": {"type": "integer", "minimum": 0},
    },
}
_EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/event-stream": {"schema": _EVENT}}}
}


@router.get(
    "/v1/stream",
    summary="Stream new revisions",
    response_class=Response,
    responses=_EVENTS,
    openapi_extra={"headers": ("LastEventId",)},
)
async def get_stream(request: Request, caller: Reader) -> Response:
    """Server-sent events: one at once, and one after each change, by several at once too.

    An event has the revision, and by kind the keys of what was touched: a hint, and null where it
    is not known or long; `/v1/changes` says what changed. A comment comes every 15 seconds.
    The stream ends when the server stops, and soon after the token no longer holds.
    """
    node = node_of(request)
    seen = _seen(single(request, "last-event-id"))
    if seen is not None and seen.revision > node.served(caller.space).revision:
        # The client heard of a revision from another process, and this one has not read it yet.
        with suppress(StoreError, Overloaded):
            await node.catch_up()
    if getattr(request.state, "to_head", False):
        return EventSourceResponse(_nothing(), headers=_HEADERS)
    streams: Streams = request.app.state.streams
    authorization = header(request.scope["headers"], b"authorization")

    def holds(access: Access) -> Caller:
        return access.caller(authorization, caller.space.encode(), Needs.READ)

    request.scope["stream"] = streams.new(caller.space, seen, holds, _says)
    return _Begun(_nothing(), headers=_HEADERS)


class _Begun(EventSourceResponse):
    """The head of an answer. `Streams.run` sends the rest, outside of the framework.

    What the framework keeps of a request would cost each open stream some ten kilobytes.
    """

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the head."""
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


def _says(followed: Followed, since: Head | None) -> bytes:
    """An event: the revision that is served, and what differs from the one that is known."""
    touched, head = followed.touched(since), followed.served.stored.head
    keys = None
    if touched is not None:
        keys = {f"{one}s": sorted(key for kind, key in touched if kind == one) for one in KINDS}
    said = {
        "space": followed.served.space,
        "revision": head.revision,
        "lineage": head.lineage,
        "touched": keys,
    }
    return format_sse_event(
        id=catalog_version(head), event="revision", data_str=encode(said).decode()
    )


def _seen(last: str | None) -> Head | None:
    if last is None:
        return None
    revision, _, lineage = last.partition("-")
    if not _ID.match(last) or int(revision) > REVISION_MAX:
        raise InvalidInput("this is the id of an event: REVISION-LINEAGE", "headers.Last-Event-ID")
    return Head(int(revision), lineage)
