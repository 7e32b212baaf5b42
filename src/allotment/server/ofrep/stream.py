"""The stream that tells clients of OFREP to ask again: a revision, and nothing of what it holds."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event

from allotment.server.auth.access import Access, Caller
from allotment.server.http.asgi import App
from allotment.server.http.etags import catalog_version
from allotment.server.sync.node import Node

# How often the process looks whether a revision was published, while there are streams.
_LOOK_SECONDS: Final = 0.02

# So that a proxy does not take the connection for a dead one.
HEARTBEAT_SECONDS: Final = 15.0

# A client that comes for the first time has asked for all flags a moment ago. What was published
# in between is told; what was published long before, it has.
_RECENT_SECONDS: Final = 60.0

# When a client may come again whose stream has ended, in milliseconds: not all at once.
_RETRY_MILLISECONDS: Final = (500, 5_000)

_HEADERS: Final = {
    "cache-control": "no-store",
    "x-accel-buffering": "no",
    "x-content-type-options": "nosniff",
}

Holds = Callable[[Access], Caller]


class Streams:
    """The streams of one process, each of which waits for the same news."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._news = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._open = 0

    def stream(self, space: str, last: str | None, holds: Holds) -> App:
        """The answer to a caller that has seen `last`; `holds` raises once it may read no more."""
        return EventSourceResponse(self._events(space, last, holds), headers=_HEADERS)

    async def _events(self, space: str, last: str | None, holds: Holds) -> AsyncIterator[bytes]:
        """Events until the server drains, the space is gone, or the caller may read no more."""
        self._begin()
        try:
            served = self._node.served(space)
            known = catalog_version(served.stored.head)
            if last is None and time.monotonic() - served.since > _RECENT_SECONDS:
                last = known
            # An id without data is remembered by the client, and tells it nothing.
            first = None if last == known else _refetch(known)
            retry = random.randint(*_RETRY_MILLISECONDS)  # to spread them
            yield format_sse_event(id=known, retry=retry, data_str=first)
            beat = time.monotonic()
            while True:
                # Taken before the look, so that what is published after it is not missed.
                news = self._news
                if not self._may_go_on(space, holds):
                    return
                version = catalog_version(self._node.served(space).stored.head)
                if version != known:
                    known = version
                    yield format_sse_event(id=known, data_str=_refetch(known))
                    continue
                wait = beat + HEARTBEAT_SECONDS - time.monotonic()
                try:
                    await asyncio.wait_for(news.wait(), max(0.0, wait))
                except TimeoutError:
                    beat = time.monotonic()
                    yield KEEPALIVE_COMMENT
        finally:
            self._open -= 1

    def _may_go_on(self, space: str, holds: Holds) -> bool:
        if self._node.draining or space not in self._node.spaces:
            return False
        try:
            holds(self._node.access)
        except Exception:  # noqa: BLE001  # whatever it is, the next request of the caller says it
            return False
        return True

    def _begin(self) -> None:
        self._open += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        """Wake the streams whenever something was published, as long as there are any."""
        node = self._node
        seen = (node.spaces, node.access, node.draining)
        while self._open:
            await asyncio.sleep(_LOOK_SECONDS)
            now = (node.spaces, node.access, node.draining)
            if any(one is not other for one, other in zip(now, seen, strict=True)):
                seen = now
                self._news.set()
                self._news = asyncio.Event()


def _refetch(version: str) -> str:
    return json.dumps({"type": "refetchEvaluation", "etag": version})
