"""What all connections of a process share."""

from __future__ import annotations

import asyncio
import logging
import resource
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final, Protocol, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.server import ServerState

from allotment.server.connection.access_log import log_request
from allotment.server.connection.deadlines import SWEEP_SECONDS, Allowance
from allotment.server.connection.head import line_of
from allotment.server.connection.known_heads import KnownHeads
from allotment.server.connection.overload import Load
from allotment.server.counters import Counters
from allotment.server.http.limits import CONNECTIONS_MAX, FILES_OF_OURS
from allotment.server.settings import Settings

# Looking at so many takes a millisecond.
_SWEPT_AT_ONCE: Final = 256

log: Final = logging.getLogger("allotment.server")


class Swept(Protocol):
    """A connection that may take too long."""

    def sweep(self, now: float) -> None:
        """End it if it has; `now` is the loop's time."""


class ServingState(ServerState):
    """The state of uvicorn's server, and of ours.

    draining         the process stops: every answer closes its connection
    counters         what the process has counted
    load             what is under way, and what may still be let in
    allowed          how long clients may take
    access_log       whether a line is logged for every request
    fast_path        whether requests that wait for nothing are answered without a task
    connections_max  how many connections there may be at once
    heads            the heads of requests that were read before
    """

    def __init__(self, settings: Settings, counters: Counters) -> None:
        super().__init__()
        self.draining = False
        self.load = Load(settings.concurrency, settings.lag_ms / 1000, counters.shed)
        self.counters = counters
        self.allowed = Allowance(
            settings.header_seconds, settings.body_seconds, settings.keep_alive_seconds
        )
        self.access_log = settings.access_log
        self.fast_path = settings.fast_path
        self.connections_max = connections_max()
        self.heads = KnownHeads()
        self._opened: tuple[Any, dict[int, bytes]] = (None, {})
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to watch over connections and load, on the loop that runs."""
        self.load.start()
        self._sweep_later()

    def stop(self) -> None:
        """Watch no more."""
        self.load.stop()
        if self._timer is not None:
            self._timer.cancel()

    def ended(  # noqa: PLR0913, PLR0917  # what is counted, and what a line says
        self,
        scope: Mapping[str, Any],
        method: str,
        status: int,
        size: int,
        seconds: float,
        timed: float,
    ) -> None:
        """Count and log a request that was worked on; `timed` is what counts as its time."""
        route, own = scope.get("route"), scope["state"]
        path = "other" if route is None else route.path
        self.counters.ended(method, path, status, own.get("operation", ""), timed)
        if self.access_log:
            log_request(scope, method, status, size, seconds)

    def opening(self, status: int) -> bytes:
        """How all answers of a status begin; the server makes other headers once a second."""
        headers, openings = self._opened
        if headers is not self.default_headers:
            headers, openings = self._opened = self.default_headers, {}
        if status not in openings:
            openings[status] = STATUS_LINE[status] + b"".join(line_of(*each)[0] for each in headers)
        return openings[status]

    def _sweep_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Look at all connections, some at a time: thousands at once would hold up requests."""
        self._sweep_later()
        self._sweep_some(iter(set(self.connections)))

    def _sweep_some(self, connections: Iterator[object]) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        some = list(islice(connections, _SWEPT_AT_ONCE))
        for connection in cast(list[Swept], some):
            try:
                if connection in self.connections:
                    connection.sweep(now)
            except Exception:  # the other connections are swept
                log.exception("a connection could not be looked at")
                self.counters.failures["sweep"] += 1
        if some:
            loop.call_soon(self._sweep_some, connections)


def connections_max() -> int:
    """How many connections a process may have, so that it can open its store and its files, too."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(CONNECTIONS_MAX, max(1, files - FILES_OF_OURS))
