"""A connection: uvicorn's, made strict about what it reads and about how long that takes.

What differs from uvicorn: limits on the head, deadlines for slow clients, errors as the app gives
them, a ceiling on what is under way, answers that close their connection while the server drains,
and answers without a task where the app waits for nothing (its `at_once`). Everything else (parsing
by httptools, the ASGI cycle, back-pressure) is uvicorn's.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import httptools

from allotment.errors import AllotmentError
from allotment.server.connection import faults
from allotment.server.connection.access_log import log_request
from allotment.server.connection.cycle import CONTINUE, Cycle
from allotment.server.connection.deadlines import Clock, Waits, standing_of
from allotment.server.connection.head import reads_only
from allotment.server.connection.overload import EXEMPT
from allotment.server.connection.repeated import Repeating
from allotment.server.connection.state import ServingState
from allotment.server.http.asgi import App
from allotment.server.http.limits import HEAD_BYTES_MAX

if TYPE_CHECKING:
    from uvicorn.config import Config

_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}


class Protocol(Repeating):
    """One connection of a client."""

    def __init__(
        self,
        config: Config,
        server_state: ServingState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.load = server_state.load
        self.clock = Clock(self.loop.time())
        self.last = b""  # what is then said, after the answers that are due
        self.deaf = False  # what comes is thrown away
        self.slow = False  # the client was answered that it took too long
        self.ended = False  # the client sends no more, but may still read

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
        self.ahead.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Answer what was asked before, and parse the rest; what is no request ends it all."""
        at_rest = not self.deaf and self.is_at_rest()
        if at_rest:
            data = self.answer_repeated(data)
        whole, before = data, self.requests
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
            if at_rest and self.requests == before + 1 and self.is_at_rest():
                self.state.heads.learn(whole, self.cycle)
            return

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer a client that sends no more, if all that it asked is there; it may still read."""
        self.deaf = self.ended = True
        due = self.due()
        return due is not None and not self.cycle.more_body

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
            unread = {"client": self.client, "state": {"identity": identity}}
            size = faults.body_size(self.last)
            log_request(unread, self.head.method, fault.status_hint, size)

    # The answers.

    def _wait_no_more(self) -> None:
        """Start a request of which more is to come, or something broken."""
        cycle, self.waiting = self.waiting, None
        if cycle is not None:
            self.begin(cycle, self.app)

    def begin(self, cycle: Cycle, app: App) -> None:
        """Let a request in, or refuse it."""
        self.running = cycle
        load = self.load
        if load.in_flight >= load.limit and cycle.scope["path"] not in EXEMPT:
            load.refuse(cycle)
            return
        load.enter()
        task = cycle.task = self.loop.create_task(cycle.run(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def on_response_complete(self) -> None:
        """Go on to the next request, or to the end."""
        done = self.running
        if done is None or self.transport.is_closing():
            return
        self.flow.resume_reading()
        if done.keep_alive and self.ahead:
            self.begin(*self.ahead.popleft())
        elif done.more_body and not done.keep_alive:  # its client still sends
            self.last = b""
            self._linger()
        elif self.ended or not done.keep_alive:
            self.transport.close()
        elif self.deaf:
            self._linger()
