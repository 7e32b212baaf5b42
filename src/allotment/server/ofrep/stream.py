"""The stream that tells clients of OFREP to ask again: a revision, and nothing of what it holds."""

from __future__ import annotations

import json
import time
from typing import Final

from fastapi.sse import EventSourceResponse, format_sse_event

from allotment.server.http.asgi import App, Receive, Scope, Send
from allotment.server.http.etags import catalog_version
from allotment.server.streams import Followed, Holds, Streams
from allotment.server.sync.spaces import Served
from allotment.store import Head

# A client that comes for the first time has asked for all flags a moment ago. It gets an event for
# what was published in between; what was published long before, it has.
_RECENT_SECONDS: Final = 60.0

_HEADERS: Final = (
    (b"content-type", EventSourceResponse.media_type.encode()),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
)


def stream(streams: Streams, served: Served, last: str | None, holds: Holds) -> App:
    """The answer to a caller that has seen `last`; `holds` raises once it may read no more.

    Raises Overloaded where no more streams may be opened.
    """
    head = served.stored.head
    version = catalog_version(head)
    if last is None and time.monotonic() - served.since > _RECENT_SECONDS:
        last = version
    # An id without data is remembered by the client, and tells it nothing.
    first = None if last == version else _refetch(version)
    made = streams.new(served.space, head, holds, _says)

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        scope["stream"] = made
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await streams.run(made, send, first)

    return app


def _says(followed: Followed, _since: Head | None) -> bytes:
    version = catalog_version(followed.served.stored.head)
    return format_sse_event(id=version, data_str=_refetch(version))


def _refetch(version: str) -> str:
    return json.dumps({"type": "refetchEvaluation", "etag": version})
