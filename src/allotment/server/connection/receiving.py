"""The side of a request from which the application takes its body, as that comes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from allotment.server.connection import faults
from allotment.server.connection.overload import EXEMPT
from allotment.server.connection.state import ServingState

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveEvent

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class News:
    """An event that costs nothing until somebody waits for it: most requests come whole."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event: asyncio.Event | None = None

    def set(self) -> None:
        """Wake those that wait now."""
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self) -> None:
        """Return once it is set, from now on."""
        if self._event is None:
            self._event = asyncio.Event()
        await self._event.wait()


class Receiving(RequestResponseCycle):
    """What of a cycle receives; `handed` says whether the application has all of the body."""

    state: ServingState
    handed: bool

    async def receive(self) -> ASGIReceiveEvent:
        """A part of the body, or the message that the client has disconnected.

        A request that waits for its client has no place among those under way, so that no client
        takes the places of others by sending slowly. It asks for one again when its body is there.
        """
        if self.waiting_for_100_continue and not self.transport.is_closing():
            self.transport.write(CONTINUE)
            self.waiting_for_100_continue = False
        if not self._has_news():
            self.flow.resume_reading()
            await self._news()
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        body, self.body = bytes(self.body), bytearray()
        self.handed = not self.more_body
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    def _has_news(self) -> bool:
        if self.disconnected or self.response_complete:
            return True
        return not self.handed and (not self.more_body or len(self.body) > 0)

    async def _news(self) -> None:
        load, waits = self.state.load, self.more_body
        if waits:
            load.in_flight -= 1
        try:
            while not self._has_news():
                await self.message_event.wait()
        finally:
            if waits:
                load.enter()
        full = load.in_flight > load.limit and self.scope["path"] not in EXEMPT
        if waits and full and not (self.more_body or self.response_started or self.disconnected):
            load.shed["busy"] += 1
            raise faults.BUSY
