"""A connection: uvicorn's, made strict about what it reads and about how long that takes.

What differs from uvicorn: limits on the head, deadlines for slow clients, errors as the app gives
them, a ceiling on what is under way, answers that close their connection while the server drains,
and answers without a task where the app waits for nothing (its `at_once`). Everything else (parsing
by httptools, the ASGI cycle, back-pressure) is uvicorn's.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NoReturn

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from allotment.errors import AllotmentError
from allotment.server.connection import faults
from allotment.server.connection.access_log import log_unread
from allotment.server.connection.cycle import Cycle
from allotment.server.connection.deadlines import Clock, Waits, standing_of
from allotment.server.connection.head import STEERING, RequestHead, reads_only, target_of
from allotment.server.connection.overload import EXEMPT
from allotment.server.connection.receiving import CONTINUE
from allotment.server.connection.state import ServingState
from allotment.server.http.limits import HEAD_BYTES_MAX, PIPELINED_MAX, TARGET_BYTES_MAX

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application
    from uvicorn.config import Config

_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}


class _BrokenOff(Exception):
    """Ends the parsing of a packet; the protocol knows why."""


class Protocol(HttpToolsProtocol):
    """One connection of a client."""

    server_state: ServingState
    cycle: Cycle

    def __init__(
        self,
        config: Config,
        server_state: ServingState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.state = server_state
        self.load = server_state.load
        self.clock = Clock(self.loop.time())
        self.requests = 0  # heads that were begun
        self.running: Cycle | None = None  # the request whose answer is due next
        self.silent = 0  # bytes since the parser last made something of them
        self.fault: AllotmentError | None = None  # why reading was broken off
        self.last = b""  # what is then said, after the answers that are due
        self.deaf = False  # what comes is thrown away
        self.slow = False  # the client was answered that it took too long
        self.ended = False  # the client sends no more, but may still read
        self.offered = False  # the parser stops behind the head, for an upgrade
        self.again = False  # the parser is given a head that it has read already
        self.head = RequestHead()
        self.head_open = False
        self.at_once = hasattr(self.app, "at_once")  # see AtOnce
        self.waiting: Cycle | None = None  # may be answered at once when it is whole

    # The connection.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take up a connection, or send it away where there are too many."""
        super().connection_made(transport)
        self.common = {
            "type": "http",
            "asgi": _ASGI,
            "root_path": "",
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
        }
        if len(self.connections) > self.state.connections_max:
            self.load.shed["connections"] += 1
            self.deaf = True
            self._say_last(faults.MANY_CONNECTIONS)
            self.transport.write(self.last)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Release the connection; a request under way is cancelled."""
        due = self.due()
        if due is not None:
            due.disconnect()
            if due.task is not None and reads_only(due.scope):
                due.task.cancel()  # what still waits for its turn is not begun
        self.pipeline.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came; what cannot be a request ends the connection."""
        while data and not self.deaf:
            self.silent += len(data)
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = self._without_offer() + data[upgrade.args[0] :]
                continue
            except httptools.HttpParserError:
                self._wait_no_more()
                self._end(self.fault or faults.MALFORMED)
                return
            self._wait_no_more()
            if self.silent > HEAD_BYTES_MAX:  # a head without end, or the trailer of a body
                self._end(faults.LONG_HEAD)
            return

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer a client that sends no more, if all that it asked is there; it may still read."""
        self.deaf = self.ended = True
        due = self.due()
        return due is not None and not self.cycle.more_body

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

    def sweep(self, now: float) -> None:
        """End the connection if its client has taken too long; called about once a second."""
        standing = standing_of(self)
        if self.slow:  # it was answered so a second ago
            self.transport.close()
        if self.ended:
            self._look_for_reader()
        if not self.clock.overdue(standing, self.state.allowed, now):
            return
        if standing.waits in (Waits.READER, Waits.END):
            self.transport.abort()
        elif standing.waits is Waits.BODY and not self.cycle.response_started:
            self.cycle.disconnect()
            self._tell_slow(self.cycle)
        elif standing.waits is Waits.HEAD and self.head_open:
            self._tell_slow()
        else:
            self.transport.close()

    def _look_for_reader(self) -> None:
        """Find out whether a client that sends no more still reads, or has hung up.

        Both look the same until something is sent, to which the system of the latter answers. An
        interim answer is passed over by every client; the second one finds the connection broken.
        """
        due = self.due()
        if due is not None and not due.response_started and reads_only(due.scope):
            self.transport.write(b"" if due.scope["http_version"] == "1.0" else CONTINUE)

    def due(self) -> Cycle | None:
        """The request that is being answered."""
        running = self.running
        return None if running is None or running.response_complete else running

    def _end(self, fault: AllotmentError) -> None:
        """Read no more, and say why once the requests before the faulty one are answered."""
        self.deaf = True
        due = self.due()
        if due is not None and due is self.cycle and due.more_body:  # it is the faulty one
            self._say_last(fault, due)
            due.disconnect()
            if due.response_started:
                self.transport.close()
                return
        else:
            self._say_last(fault)
            if due is not None:
                return
        self._linger()

    def _linger(self) -> None:
        """End the answers, and wait for the client to end too.

        Closing while it still sends would have it see a reset in place of its answer.
        """
        self.deaf = True
        self.transport.write(self.last)
        self.transport.write_eof()

    def _tell_slow(self, cycle: Cycle | None = None) -> None:
        self.slow = True
        self._say_last(faults.SLOW, cycle)
        self._linger()

    def _say_last(self, fault: AllotmentError, faulty: Cycle | None = None) -> None:
        """Choose what is said last: the fault, of a request that has begun or of its head."""
        if faulty is not None:
            faulty.status = fault.status_hint
            self.last = faults.closing(fault, faulty.identity, faulty.scope["path"])
            faulty.sent = faults.body_size(self.last)
            return
        identity = self.head.identity()
        self.last = faults.closing(fault, identity)
        if self.state.access_log:
            size = faults.body_size(self.last)
            log_unread(identity, self.head.method, fault.status_hint, size, self.client)

    # What the parser finds.

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
        app: Any = self.app if refusal is None else faults.saying(refusal)
        if self.transport.is_closing():
            return  # the answer before this request has closed the connection
        if self.due() is None:
            if not self.at_once or app is not self.app or self.head.expects:
                self._start_asgi_task(self.cycle, app)
            else:
                self.running = self.waiting = self.cycle
        elif len(self.pipeline) < PIPELINED_MAX:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, app))
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
        cycle.body += body
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
            self._start_asgi_task(cycle, app)

    # The answers.

    def _wait_no_more(self) -> None:
        """Start a request of which more is to come, or something broken."""
        cycle, self.waiting = self.waiting, None
        if cycle is not None:
            self._start_asgi_task(cycle, self.app)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Let a request in, or refuse it."""
        assert isinstance(cycle, Cycle)
        self.running = cycle
        load = self.load
        if load.in_flight >= load.limit and cycle.scope["path"] not in EXEMPT:
            load.refuse(cycle)
            return
        load.enter()
        task = cycle.task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def on_response_complete(self) -> None:
        """Go on to the next request, or to the end."""
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.running is not None and self.running.lingers:
            self.last = b""
            self._linger()
        elif self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self.ended:
            self.transport.close()
        elif self.deaf:
            self._linger()
