"""One request and its answer, between the connection and the application.

The connection fills the body and says when it is whole; the application takes it by `receive` and
answers by `send`. Each header of an answer is checked and put together once for all answers that
have it, and the head says when the connection closes, and why it must not yet.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Any, Final, Protocol, TypeGuard

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from allotment.errors import AllotmentError
from allotment.server.connection import faults
from allotment.server.connection.access_log import log_request
from allotment.server.connection.head import EVENTS, RequestHead, line_of
from allotment.server.connection.overload import EXEMPT
from allotment.server.connection.state import ServingState
from allotment.server.http.answer import Answering, Ready, sending
from allotment.server.http.asgi import App, Message
from allotment.server.http.limits import PIECE_BYTES, STREAM_BYTES
from allotment.server.http.problems import saying

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

_BODILESS: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})

log: Final = logging.getLogger("allotment.server")


class Connection(Protocol):
    """What a request needs of its connection."""

    transport: Any
    flow: Any
    state: ServingState

    def on_response_complete(self) -> None:
        """Go on with the next request of the connection."""


class Cycle:
    """A request from its head to the end of its answer.

    body       what has come of the body and was not taken yet; `more_body`: it is not whole
    received   bytes of the body that have come
    handed     the application has all of the body
    status     what was answered; 0 until then
    length     bytes of the answer's body that are still to come, where its head has said how many
    chunked    the answer is sent in chunks; None: its end is the end of the connection
    sent       bytes of the answer's body that were handed on
    held       bytes of the body and the answer that are counted until the end
    shared     a large answer that other requests send too
    head       of the answer, until it goes out with the first of the body
    task       what works on it
    identity   what the request is known by, to its client and in the log
    begun      when, by the clock of performance
    answering  what has answered it as it was read, without a task
    streams    how long it took to begin an answer that goes on until something ends it; else None
    """

    __slots__ = (
        *("transport", "flow", "state", "on_response", "scope", "identity", "begun", "to_head"),
        *("body", "more_body", "received", "handed", "message_event", "waiting_for_100_continue"),
        *("status", "response_started", "response_complete", "length", "chunked", "sent"),
        *("keep_alive", "disconnected", "task", "answering", "streams", "held", "shared", "head"),
    )

    def __init__(
        self, connection: Connection, scope: Any, head: RequestHead, keep_alive: bool
    ) -> None:
        self.transport = connection.transport
        self.flow = connection.flow
        self.state = connection.state
        self.on_response = connection.on_response_complete
        self.scope = scope
        self.identity = scope["state"]["identity"] = head.identity()
        self.begun = time.perf_counter()
        self.to_head = scope["method"] == "HEAD"  # an application may change the scope
        scope["hold"] = self.hold
        self.body: bytes | bytearray = b""
        self.more_body = True
        self.handed = False
        self.message_event = asyncio.Event()
        self.waiting_for_100_continue = head.expects
        self.received = self.status = self.length = self.sent = self.held = 0
        self.response_started = self.response_complete = False
        self.chunked: bool | None = None
        self.keep_alive = keep_alive
        self.disconnected = False
        self.task: asyncio.Task[None] | None = None
        self.answering: Answering | None = None
        self.streams: float | None = None
        self.shared: bytes | None = None
        self.head = b""

    # The request.

    async def run(self, app: App) -> None:
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
                await saying(error)(self.scope, self.receive, self.send)
        finally:
            if self.streams is None:
                self.state.load.in_flight -= 1
            self.state.load.held -= self.held
            if self.shared is not None:
                self.state.load.release(self.shared)
            self._finish()

    async def receive(self) -> Message:
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
        body, self.body = bytes(self.body), b""
        self.handed = not self.more_body
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    def _has_news(self) -> bool:
        over = self.disconnected or self.response_complete
        return over or (not self.handed and (not self.more_body or len(self.body) > 0))

    async def _news(self) -> None:
        load, waits = self.state.load, self.more_body
        if waits:
            load.in_flight -= 1
        try:
            while not self._has_news():
                self.message_event.clear()
                await self.message_event.wait()
        finally:
            if waits:
                load.enter()
        full = load.in_flight > load.limit and self.scope["path"] not in EXEMPT
        if waits and full and not (self.more_body or self.response_started or self.disconnected):
            load.shed["busy"] += 1
            raise faults.BUSY

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

    # The answer.

    def answer_at_once(self, app: Any) -> Any:
        """Answer a request that is whole, if nothing is waited for; else the app that is to run."""
        load = self.state.load
        if load.in_flight >= load.limit or (answering := app.at_once(self.scope)) is None:
            return app
        ready = answering(self.scope, bytes(self.body))
        if ready is None:
            return app
        if not is_small(ready) or self.flow.write_paused:
            return sending(ready)
        load.pass_through()
        self.answering = answering
        head = self._begin(ready.status, ready.headers)
        self.sent = self.length
        self.transport.write(head + ready.body)
        self._complete()
        self._finish()
        return None

    def refuse(self) -> bool:
        """Answer that there is too much to do; nothing of the request was looked at.

        False if the client is gone.
        """
        if self.disconnected or self.transport.is_closing():
            return False
        self._settle()
        path, close = self.scope["path"], not self.keep_alive
        refusal = faults.busy(path, self.identity, close=close, body=not self.to_head)
        self.status = faults.status_of(refusal)
        self.sent = faults.body_size(refusal)
        self.transport.write(refusal)
        self._complete()
        if self.state.access_log:
            seconds = time.perf_counter() - self.begun
            log_request(self.scope, self._method(), self.status, self.sent, seconds)
        return True

    async def send(self, message: Message) -> None:
        """Send the head of the answer, or a part of its body."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if not self.response_started:
            if message["type"] != "http.response.start":
                raise RuntimeError(f"an answer does not start with {message['type']}")
            self.head = self._begin(message["status"], message.get("headers", ()))
            if self.streams is not None:
                self._send_body(b"", True)
        elif message["type"] != "http.response.body" or self.response_complete:
            raise RuntimeError(f"{message['type']} has no place in an answer here")
        else:
            body, more = message.get("body", b""), message.get("more_body", False)
            if len(body) > PIECE_BYTES:
                await self._send_pieces(body, more)
            else:
                self._send_body(body, more)

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
        measured = self.chunked is not None or self.to_head or status in _BODILESS
        # HTTP/1.0 has no chunks: there the end of the connection ends an answer.
        if not measured and self.scope["http_version"] != "1.0":
            self.chunked = True
            lines.append(b"transfer-encoding: chunked\r\n")
        self._hold_answer()
        self.response_started = True
        self.waiting_for_100_continue = False
        return b"".join((*lines, self.identity.lines(), b"\r\n"))

    def _settle(self) -> None:
        """Decide whether the connection stays, before the head of the answer says so."""
        # A client that still waits for `100 Continue` may or may not send its body now: one cannot
        # tell where its next request would begin.
        if self.waiting_for_100_continue or self.state.draining:
            self.keep_alive = False

    def _heed(self, name: bytes, value: bytes) -> None:
        if name == b"content-length":
            self.length = int(value)
            self.chunked = False
        elif name == b"transfer-encoding" and value.lower() == b"chunked":
            self.chunked = True
        elif name == b"connection" and b"close" in value.lower():
            self.keep_alive = False
        elif value.startswith(EVENTS):
            self._stream()

    def _stream(self) -> None:
        """From here on the answer mostly waits: it takes no place of others, and keeps little.

        What the application put into the scope for it learns how its connection is broken off.
        """
        if "stream" in self.scope:
            self.scope["stream"].cut = self.transport.abort
        self.transport.set_write_buffer_limits(high=STREAM_BYTES)
        self.state.load.in_flight -= 1
        self.streams = time.perf_counter() - self.begun

    def _hold_answer(self) -> None:
        """Count a large answer; one that other requests share is counted once."""
        if self.to_head or self.length <= PIECE_BYTES:
            return
        shared: bytes | None = self.scope.get("shared")
        if shared is None:
            self.hold(self.length)
        else:
            self.state.load.share(shared)
            self.shared = shared

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
            self.length, body = 0, b""
        elif self.chunked:
            chunk = b"%x\r\n%b\r\n" % (len(body), bytes(body)) if body else b""
            body = chunk if more else chunk + b"0\r\n\r\n"
        else:
            self.length -= 0 if self.chunked is None else len(body)
            if self.length < 0:
                raise RuntimeError("the answer is longer than its content-length")
        self.transport.writelines((self.head, body))
        self.head = b""
        if not more:
            if self.length:
                raise RuntimeError("the answer is shorter than its content-length")
            self._complete()

    def _complete(self) -> None:
        self.response_started = self.response_complete = True
        self.message_event.set()
        self.on_response()

    def _finish(self) -> None:
        """Count and log a request that was worked on: what every such request passes at its end."""
        seconds = time.perf_counter() - self.begun
        if self.response_started and not self.response_complete:
            self.status = 0  # the answer has broken off
        timed = seconds if self.streams is None else self.streams
        self.state.ended(self.scope, self._method(), self.status, self.sent, seconds, timed)

    def _method(self) -> str:
        return "HEAD" if self.to_head else self.scope["method"]


def is_small(answer: Ready | Awaitable[Ready]) -> TypeGuard[Ready]:
    """Whether an answer is there, and is sent in one piece."""
    return isinstance(answer, Ready) and len(answer.body) <= PIECE_BYTES
