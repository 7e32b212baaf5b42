"""Stopping without a lost request, in two phases.

A client that keeps its connection sends the next request on it without asking; closing it under
that request loses it. So after the first signal the server goes on for `drain_seconds`: /readyz
says 503, so that a balancer turns elsewhere, and every answer tells its client to close. Then it
takes no more connections, and ends when the requests under way are answered. A second signal ends
it at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import struct
import sys
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final

from uvicorn import Config, Server

from allotment.server.connection.state import ServingState
from allotment.server.sync.threads import Loop, Threads

# What tells a server to stop, unless it was started to ignore it, as by nohup.
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

# How long handshakes under way may take once no more begin, and their first request to come.
LAST_ARRIVALS_SECONDS: Final = 0.25

# How long letting go of the store may take, beyond what requests under way may; then it hangs.
CLOSING_SECONDS: Final = 5.0

# How long after the second signal a process has ended.
_AT_ONCE_SECONDS: Final = 1.0

log: Final = logging.getLogger("allotment.server")

_ATTACH_FILTER: Final = 26  # SO_ATTACH_FILTER, which the socket module lacks


def take(
    signals: Iterable[signal.Signals], handler: Callable[[int, FrameType | None], object]
) -> dict[signal.Signals, Any]:
    """Handle the signals that are not ignored, as SIGHUP is under nohup; how they were before."""
    heeded = [each for each in signals if signal.getsignal(each) is not signal.SIG_IGN]
    return {each: signal.signal(each, handler) for each in heeded}


def keep_on_at_hangup() -> None:
    """Take SIGHUP, which is to reload, for no reason to end while there is nothing to reload."""
    take([signal.SIGHUP], lambda *_: None)


class DrainingServer(Server):
    """uvicorn's server, which stops in two phases.

    `ready` is called when it serves, `stopping` when it begins to stop, `reload` soon after each
    SIGHUP, which never stops it. `forced` says whether it ended without waiting for what was under
    way.
    """

    def __init__(  # noqa: PLR0913  # what a server is made of
        self,
        config: Config,
        state: ServingState,
        drain_seconds: float,
        threads: Threads,
        *,
        ready: Callable[[], None],
        stopping: Callable[[], None],
        reload: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self.state = state
        self.server_state = state
        self.forced = False
        self._drain_seconds = drain_seconds
        self._ready = ready
        self._stopping = stopping
        self._reload = reload
        self._reloads = False
        self._stops = False
        self._until = 0.0
        self.threads = threads
        self._ends: list[Loop] = []

    def stop(self) -> None:
        """Begin to stop; from any thread, and any number of times."""
        self._stops = True
        if not self.started:
            self.should_exit = True

    def reload(self, *_: object) -> None:
        """Have the settings read again soon; from any thread, and as a handler of signals."""
        self._reloads = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Take a signal: the first one drains, the second one ends."""
        if self._stops:
            self.forced = self.force_exit = self.should_exit = True
            self._end_in(_AT_ONCE_SECONDS)
        self.stop()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal."""
        try:
            super().run(sockets)
        finally:
            for each in self._ends:
                each.stop()

    def _end_in(self, seconds: float) -> None:
        """End the process after so long, whatever hangs: a store, a disk, a thread."""
        end = self.threads.loop("end", _end, seconds)
        end.start()
        self._ends.append(end)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals while it serves; having done what they ask, not die of them."""
        before = take(SIGNALS, self.handle_exit) | take([signal.SIGHUP], self.reload)
        try:
            yield
        finally:
            for each, behaviour in before.items():
                signal.signal(each, behaviour)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Load what there is, then listen."""
        await super().startup(sockets)
        self.state.start()
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether it is time to end."""
        if self._reloads:
            self._reloads = False
            self._reload()
        if self._stops and not self.state.draining:
            self.state.draining = True
            self._until = time.monotonic() + self._drain_seconds
            self._stopping()
        if self.state.draining and time.monotonic() >= self._until:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections; let what is under way finish."""
        self._end_in((self.config.timeout_graceful_shutdown or 0) + CLOSING_SECONDS)
        if not self.forced:
            for each in sockets or ():
                begin_no_more(each)
            await asyncio.sleep(LAST_ARRIVALS_SECONDS)
        await super().shutdown(sockets)
        self.state.stop()


def _end() -> None:
    log.error("what is under way did not end in time; the process ends without it")
    logging.shutdown()
    os._exit(1)


def begin_no_more(listener: socket.socket) -> None:
    """Make the kernel drop new connection attempts, and accept those that have begun.

    Closing at once would reset connections that the kernel has accepted and we have not: their
    clients think them open, and have perhaps sent a request. A client that is ignored tries again
    after a second; by then the port is closed, or another server's.
    """
    if sys.platform != "linux":
        return
    # A packet filter of two questions: is the SYN bit (0x02) set in byte 13 of the TCP header?
    load_byte, jump_if_set, give_back = 0x30, 0x45, 0x06
    program = struct.pack(
        "HBBI" * 4,
        *(load_byte, 0, 0, 13),
        *(jump_if_set, 0, 1, 0x02),
        *(give_back, 0, 0, 0),
        *(give_back, 0, 0, 0xFFFFFFFF),
    )
    code = array("B", program)
    address, _ = code.buffer_info()
    with suppress(OSError):  # a kernel that does not offer it: then some may be reset
        listener.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("@HP", 4, address))
