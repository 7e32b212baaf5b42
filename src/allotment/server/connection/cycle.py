"""One request and its answer, between the connection and the application.

It is uvicorn's cycle with another way of writing: each header is checked and put together once for
all answers that have it, and the answer says when its connection closes, and why it must not yet.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeGuard, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from allotment.errors import AllotmentError
from allotment.server.connection import faults
from allotment.server.connection.access_log import log_request
from allotment.server.connection.head import EVENTS, RequestHead, line_of
from allotment.server.connection.receiving import News, Receiving
from allotment.server.connection.state import ServingState
from allotment.server.http.answer import Answering, Ready, sending
from allotment.server.http.asgi import Scope
from allotment.server.http.limits import PIECE_BYTES, STREAM_BYTES

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

log: Final = logging.getLogger("allotment.server")


class Connection(Protocol):
    """What a request needs of its connection."""

    transport: Any
    flow: Any
    state: ServingState

    def on_response_complete(self) -> None:
        """Go on with the next request of the connection."""


class Cycle(Receiving):
    """A request from its head to the end of its answer.

    status    what was answered; 0 until then
    received  bytes of the body that have come
    task      what works on it
    sent      bytes of the answer's body that were handed on
    lingers   the connection ends after the answer, but the client still sends
    identity  what the request is known by, to its client and in the log
    begun     when, by the clock of performance
    answering  what has answered it as it was read, without a task
    streams   how long it took to begin an answer that goes on until something ends it; else None
    """

    state: ServingState
    streams: float | None = None
    answering: Answering | None = None

    def __init__(
        self, connection: Connection, scope: Any, head: RequestHead, keep_alive: bool
    ) -> None:
        # All that uvicorn's sets. To call it takes 2 us of the 30 of a request that has a task.
        self.scope = scope
        self.transport = connection.transport
        self.flow = connection.flow
        self.message_event = News()  # type: ignore[assignment]
        self.on_response = connection.on_response_complete
        self.disconnected = False
        self.keep_alive = keep_alive
        self.waiting_for_100_continue = head.expects
        self.body = bytearray()
        self.more_body = True
        self.response_started = False
        self.response_complete = False
        self.chunked_encoding: bool | None = None
        self.expected_content_length = 0
        # What is ours.
        self.state = connection.state
        self.status = 0
        self.received = 0
        self.sent = 0
        self.to_head = scope["method"] == "HEAD"  # an application may change the scope
        self.lingers = False
        self.task: asyncio.Task[None] | None = None
        self.held = 0  # bytes of the body and the answer that are kept until the end
        self.shared: bytes | None = None  # a large answer that other requests send too
        self.handed = False
        scope["hold"] = self.hold
        self.identity = scope["state"]["identity"] = head.identity()
        self.begun = time.perf_counter()

    async def run_asgi(self, app: Any) -> None:
        """Run the application; the request, counted as under way, no longer is after that."""
        try:
            await app(self.scope, self.receive, self.send)
            if not (self.response_complete or self.disconnected):
                raise RuntimeError("the application has not answered")
        except Exception as error:  # a request must not take the server with it
            if not isinstance(error, AllotmentError):
                log.error("a request failed", exc_info=error)
                error = AllotmentError("this is a fault of the server")
            if self.response_started:
                self.transport.close()
            else:
                saying: Any = faults.saying(error)
                await saying(self.scope, self.receive, self.send)
        finally:
            if self.streams is None:
                self.state.load.in_flight -= 1
            self.state.load.held -= self.held
            if self.shared is not None:
                self.state.load.release(self.shared)
            self._finish()

    def disconnect(self) -> None:
        """Tell the application that the client is gone."""
        self.disconnected = True
        self.message_event.set()

    def hold(self, size: int) -> None:
        """Count bytes of a body or an answer that are kept until the request ends.

        Raises Overloaded where those of all requests together are more than there is room for.
        """
        self.state.load.hold(size)
        self.held += size

    def _hold_answer(self) -> None:
        """Count a large answer; one that other requests share is counted once."""
        size = self.expected_content_length
        shared: Any = self.scope.get("shared")
        if self.to_head or size <= PIECE_BYTES:
            return
        if shared is None:
            self.hold(size)
        else:
            self.state.load.share(shared)
            self.shared = shared

    async def send(self, message: ASGISendEvent) -> None:
        """Send the head of the answer, or a part of its body."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if not self.response_started:
            if message["type"] != "http.response.start":
                raise RuntimeError(f"an answer does not start with {message['type']}")
            self.transport.write(self._begin(message["status"], message.get("headers", ())))
        elif message["type"] != "http.response.body" or self.response_complete:
            raise RuntimeError(f"{message['type']} has no place in an answer here")
        else:
            body, more = message.get("body", b""), message.get("more_body", False)
            if len(body) > PIECE_BYTES:
                await self._send_pieces(body, more)
            else:
                self._send_body(body, more)

    def _answer(self, ready: Ready) -> None:
        """Send a whole answer, of a body that is no larger than a piece; no application runs."""
        head = self._begin(ready.status, ready.headers)
        self.sent = self.expected_content_length
        self.transport.write(head + ready.body)
        self._complete()
        self._finish()

    def answer_at_once(self, app: Any) -> Any:
        """Answer a request that is whole, if nothing is waited for; else the app that is to run."""
        load, scope = self.state.load, cast("Scope", self.scope)
        if load.in_flight >= load.limit or (answering := app.at_once(scope)) is None:
            return app
        ready = answering(scope, bytes(self.body))
        if ready is None:
            return app
        if not is_small(ready) or self.flow.write_paused:
            return sending(ready)
        load.pass_through()
        self.answering = answering
        self._answer(ready)
        return None

    def refuse(self) -> bool:
        """Answer that there is too much to do; nothing of the request was looked at.

        False if the client is gone.
        """
        if self.disconnected or self.transport.is_closing():
            return False
        self._settle()
        self.response_started = True
        refusal = faults.busy(
            self.scope["path"], self.identity, close=not self.keep_alive, body=not self.to_head
        )
        self.status = faults.status_of(refusal)
        self.sent = faults.body_size(refusal)
        self.transport.write(refusal)
        self._complete()
        if self.state.access_log:
            self._log(time.perf_counter() - self.begun)
        return True

    def _finish(self) -> None:
        """Count and log a request that was worked on: what every such request passes at its end."""
        seconds = time.perf_counter() - self.begun
        if self.response_started and not self.response_complete:
            self.status = 0  # the answer has broken off
        timed = seconds if self.streams is None else self.streams
        self.state.ended(self.scope, self._method(), self.status, self.sent, seconds, timed)

    def _method(self) -> str:
        return "HEAD" if self.to_head else self.scope["method"]

    def _log(self, seconds: float) -> None:
        log_request(
            self.identity,
            self.scope,
            method=self._method(),
            status=self.status,
            size=self.sent,
            seconds=seconds,
        )

    def _begin(self, status: int, headers: Any) -> bytes:
        """The head of the answer, which is to be sent now."""
        self.status = status
        self._settle()
        lines = [STATUS_LINE[status]]
        for name, value in (*self.state.default_headers, *headers):
            line, steers = line_of(name, value)
            lines.append(line)
            if steers:
                self._heed(name.lower(), value)
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        measured = self.chunked_encoding is not None or self.to_head or status in _EMPTY
        # HTTP/1.0 has no chunks: there the end of the connection ends an answer.
        if not measured and self.scope["http_version"] != "1.0":
            self.chunked_encoding = True
            lines.append(b"transfer-encoding: chunked\r\n")
        lines.append(self.identity.lines())
        lines.append(b"\r\n")
        self._hold_answer()
        self.response_started = True
        self.waiting_for_100_continue = False
        return b"".join(lines)

    def _heed(self, name: bytes, value: bytes) -> None:
        if name == b"content-length":
            self.expected_content_length = int(value)
            self.chunked_encoding = False
        elif name == b"transfer-encoding" and value.lower() == b"chunked":
            self.chunked_encoding = True
        elif name == b"connection" and b"close" in value.lower():
            self.keep_alive = False
        elif value.startswith(EVENTS):
            self._stream()

    def _stream(self) -> None:
        """From here on the answer mostly waits: it takes no place of others, and keeps little.

        What the application put into the scope for it learns how its connection is broken off.
        """
        scope: Any = self.scope
        if "stream" in scope:
            scope["stream"].cut = self.transport.abort
        self.transport.set_write_buffer_limits(high=STREAM_BYTES)
        self.state.load.in_flight -= 1
        self.streams = time.perf_counter() - self.begun

    async def _send_pieces(self, body: bytes, more: bool) -> None:
        """Send a body piece by piece: the transport copies what its client does not take yet."""
        rest = memoryview(body)
        while len(rest) > PIECE_BYTES:
            self._send_body(rest[:PIECE_BYTES], True)
            rest = rest[PIECE_BYTES:]
            if self.flow.write_paused:
                await self.flow.drain()
            if self.disconnected:
                return
        self._send_body(rest, more)

    def _send_body(self, body: bytes | memoryview, more: bool) -> None:
        self.sent += 0 if self.to_head else len(body)
        if self.to_head:
            self.expected_content_length = 0
        elif self.chunked_encoding:
            chunk = b"%x\r\n%b\r\n" % (len(body), bytes(body)) if body else b""
            self.transport.write(chunk if more else chunk + b"0\r\n\r\n")
        elif self.chunked_encoding is None:
            self.transport.write(body)
        else:
            self.expected_content_length -= len(body)
            if self.expected_content_length < 0:
                raise RuntimeError("the answer is longer than its content-length")
            self.transport.write(body)
        if not more:
            if self.expected_content_length:
                raise RuntimeError("the answer is shorter than its content-length")
            self._complete()

    def _settle(self) -> None:
        """Decide whether the connection stays, before the head of the answer says so."""
        # A client that still waits for `100 Continue` may or may not send its body now: one cannot
        # tell where its next request would begin.
        if self.waiting_for_100_continue or self.state.draining:
            self.keep_alive = False

    def _complete(self) -> None:
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            if self.more_body:
                self.lingers = True
            else:
                self.transport.close()
        self.on_response()


def is_small(answer: Ready | Awaitable[Ready]) -> TypeGuard[Ready]:
    """Whether an answer is there, and is sent in one piece."""
    return isinstance(answer, Ready) and len(answer.body) <= PIECE_BYTES


# Answers of these have no body.
_EMPTY: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
