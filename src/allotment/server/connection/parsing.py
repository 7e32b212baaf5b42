"""What the parser finds in the bytes of a connection: requests, whose heads have limits."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, NoReturn

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from allotment.errors import AllotmentError
from allotment.server.connection import faults
from allotment.server.connection.cycle import Cycle
from allotment.server.connection.head import STEERING, RequestHead, target_of
from allotment.server.connection.state import ServingState
from allotment.server.http.asgi import App
from allotment.server.http.limits import PIPELINED_MAX, TARGET_BYTES_MAX
from allotment.server.http.problems import saying

if TYPE_CHECKING:
    from uvicorn.config import Config


class _BrokenOff(Exception):
    """Ends the parsing of a packet; the protocol knows why."""


class Parsing(HttpToolsProtocol):
    """The callbacks of the parser. A request begins when its head is there."""

    server_state: ServingState
    cycle: Cycle  # type: ignore[assignment]  # of which the base asks no more than it has
    deaf: bool  # what comes is thrown away
    common: dict[str, Any]  # what all requests of the connection have in their scopes

    def __init__(
        self,
        config: Config,
        server_state: ServingState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.state = server_state
        self.requests = 0  # heads that were begun
        self.running: Cycle | None = None  # the request whose answer is due next
        self.waiting: Cycle | None = None  # may be answered at once when it is whole
        self.silent = 0  # bytes since the parser last made something of them
        self.fault: AllotmentError | None = None  # why reading was broken off
        self.offered = False  # the parser stops behind the head, for an upgrade
        self.again = False  # the parser is given a head that it has read already
        self.head = RequestHead()
        self.head_open = False
        self.ahead: deque[tuple[Cycle, App]] = deque()  # requests whose turn is yet to come
        self.at_once = self.state.fast_path and hasattr(self.app, "at_once")  # see AtOnce

    def begin(self, cycle: Cycle, app: App) -> None:
        """Let a request in, or refuse it."""
        raise NotImplementedError

    def is_at_rest(self) -> bool:
        """Whether the next byte is the first of a request, and no answer is due before its own."""
        return not (self.silent or self.head_open or self.offered) and (
            self.cycle is None or (self.cycle.response_complete and not self.cycle.more_body)
        )

    def due(self) -> Cycle | None:
        """The request that is being answered."""
        running = self.running
        return None if running is None or running.response_complete else running

    def on_message_begin(self) -> None:
        """Begin a head."""
        if self.again:
            return
        self.url = b""
        self.headers = []
        self.requests += 1
        self.head_open = True
        self.head = RequestHead()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        if self.again:
            return
        self.url += url
        if len(self.url) > TARGET_BYTES_MAX:
            self._break_off(faults.LONG_TARGET)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header; trailers are ignored."""
        if not self.head_open:
            return
        name = name.lower()
        if name in STEERING:
            self.head.take(name, value)
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Begin the request, or have it wait for those before it."""
        if self.again:
            self.again = False
            self.silent = 0
            return
        self.head_open = False
        self.offered = self.parser.should_upgrade()
        method = self.head.method = self.parser.get_method().decode("ascii")
        version = self.parser.get_http_version()
        fault = self.head.fault(version, self.url, self.headers, self.silent)
        if fault is not None:
            self._break_off(fault)
        self.silent = 0
        path, raw_path, query = target_of(self.url)
        scope = {
            **self.common,
            "http_version": version,
            "method": method,
            "path": path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": self.headers,
            "state": self.app_state.copy(),
        }
        keep_alive = version == "1.1" and self.parser.should_keep_alive()
        self.cycle = Cycle(self, scope, self.head, keep_alive)
        refusal = self.head.refusal
        app: Any = self.app if refusal is None else saying(refusal)
        if self.transport.is_closing():
            return  # the answer before this request has closed the connection
        if self.due() is None:
            if not self.at_once or app is not self.app or self.head.expects:
                self.begin(self.cycle, app)
            else:
                self.running = self.waiting = self.cycle
        elif len(self.ahead) < PIPELINED_MAX:
            self.flow.pause_reading()
            self.ahead.append((self.cycle, app))
        else:
            self._break_off(faults.MANY_AHEAD)

    def _break_off(self, fault: AllotmentError) -> NoReturn:
        self.fault = fault
        raise _BrokenOff

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body, unless its request is answered already."""
        self.silent = 0
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.received += len(body)
        if not cycle.body:
            cycle.body = body  # mostly all that there is until it is taken
        elif isinstance(cycle.body, bytearray):
            cycle.body += body
        else:
            cycle.body = bytearray(cycle.body) + body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        """End the request, unless the parser only stops before its body."""
        if self.offered:
            return
        self.silent = 0
        self.cycle.more_body = False
        self.cycle.message_event.set()
        cycle, self.waiting = self.waiting, None
        app = None if cycle is None else cycle.answer_at_once(self.app)
        if cycle is not None and app is not None:
            self.begin(cycle, app)

    def _without_offer(self) -> bytes:
        """Ignore an offered upgrade: its request goes on, with a body of its length or its chunks.

        The parser takes what follows such a head for another protocol; no setting changes that.
        So a new one reads on, from the same head without the offer.
        """
        self.parser = httptools.HttpRequestParser(self)
        kept = (b"%b: %b\r\n" % each for each in self.headers if each[0] != b"upgrade")
        version = self.cycle.scope["http_version"].encode()
        self.offered, self.again = False, True
        return b"POST / HTTP/%b\r\n%b\r\n" % (version, b"".join(kept))
