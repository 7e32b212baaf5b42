"""What a process has counted since it started: plain numbers, cheap enough for every assignment."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from typing import Final

# From one unit in memory to a batch of millions, in seconds.
ASSIGNMENT_EDGES: Final = (
    *(0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1),
    *(0.25, 1.0, 5.0, 30.0),
)

# From a snapshot in memory to a commit on a slow disk, in seconds.
REQUEST_EDGES: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Histogram:
    """How many observations fell between the edges, and their sum."""

    __slots__ = ("counts", "edges", "total")

    def __init__(self, edges: tuple[float, ...]) -> None:
        self.edges = edges
        self.counts = [0] * (len(edges) + 1)
        self.total = 0.0

    def add(self, other: Histogram) -> None:
        """Take in what another one, of the same edges, has counted."""
        self.counts = [ours + its for ours, its in zip(self.counts, other.counts, strict=True)]
        self.total += other.total

    def buckets(self) -> list[tuple[str, float]]:
        """The counts up to each edge."""
        cumulated, sofar = [], 0
        for name, count in zip((*map(str, self.edges), "+Inf"), self.counts, strict=True):
            sofar += count
            cumulated.append((name, float(sofar)))
        return cumulated


class Counters:
    """Counts that only grow; `metrics` shows them.

    requests             requests that were worked on, answered assignments apart, by method, path
                         and hundreds of the status
    request_seconds      how long those took, by method and path
    assigned             answers of the assignment paths, by path
    assignment_seconds   how long answered assignments took, by method, path and operation
    shed                 requests turned away because there was too much to do, by reason
    sticky               sticky assignments that were asked of the store, by what came of it
    exposures_written    exposures that reached a file
    exposures_dropped    exposures that found the queue full, or that could not be written
    streams_opened       event streams that were begun
    streams_ended        those of them that have ended, by what ended them
    events_sent          events that streams were sent, heartbeats apart
    looks_failed         times the store was away when it was looked at
    saves_failed         times the last good file could not be written
    failures             steps of background threads that failed, and items they left out, by thread
    """

    __slots__ = (
        "assigned",
        "assignment_seconds",
        "events_sent",
        "exposures_dropped",
        "exposures_written",
        "failures",
        "looks_failed",
        "request_seconds",
        "requests",
        "saves_failed",
        "shed",
        "sticky",
        "streams_ended",
        "streams_opened",
    )

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.request_seconds: dict[tuple[str, str], Histogram] = {}
        self.assigned: defaultdict[str, int] = defaultdict(int)  # a `Counter` takes three times it
        self.assignment_seconds: dict[tuple[str, str, str], Histogram] = {}
        self.shed: Counter[str] = Counter()
        self.sticky: Counter[str] = Counter()
        self.exposures_written = 0
        self.exposures_dropped = 0
        self.streams_opened = 0
        self.streams_ended: Counter[str] = Counter()
        self.events_sent = 0
        self.looks_failed = 0
        self.saves_failed = 0
        self.failures: Counter[str] = Counter()

    def ended(self, method: str, path: str, status: int, operation: str, seconds: float) -> None:
        """Count a request that has ended, with status 0 where it broke off.

        `path` is the route's template. `operation` says what an assignment did; empty for others.
        Of an answered assignment its time is all that is counted: every other count of it follows.
        """
        timed = self.assignment_seconds.get((method, path, operation)) if status == 200 else None
        if timed is None:
            timed = self._timed(method if method in _METHODS else "other", path, status, operation)
        timed.counts[bisect_left(timed.edges, seconds)] += 1
        timed.total += seconds

    def _timed(self, method: str, path: str, status: int, operation: str) -> Histogram:
        """Where the time of a request counts that is no assignment, or the first of its kind."""
        if operation and status == 200:
            return self.assignment_seconds.setdefault(
                (method, path, operation), Histogram(ASSIGNMENT_EDGES)
            )
        self.requests[method, path, status // 100] += 1
        timed = self.request_seconds.get((method, path))
        if timed is None:
            timed = self.request_seconds[method, path] = Histogram(REQUEST_EDGES)
        return timed
