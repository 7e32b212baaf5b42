"""What a process has counted since it started: plain numbers, cheap enough for every assignment."""

from __future__ import annotations

from collections import Counter


class Counters:
    """Counts that only grow; `metrics` shows them.

    assigned             answers of the assignment paths, by path
    shed                 requests turned away because there was too much to do, by reason
    sticky               sticky assignments that were asked of the store, by what came of it
    exposures_written    exposures that reached a file
    exposures_dropped    exposures that found the queue full, or that could not be written
    looks_failed         times the store was away when it was looked at
    saves_failed         times the last good file could not be written
    failures             steps of background threads that failed, and items they left out, by thread
    """

    __slots__ = (
        "assigned",
        "exposures_dropped",
        "exposures_written",
        "failures",
        "looks_failed",
        "saves_failed",
        "shed",
        "sticky",
    )

    def __init__(self) -> None:
        self.assigned: Counter[str] = Counter()
        self.shed: Counter[str] = Counter()
        self.sticky: Counter[str] = Counter()
        self.exposures_written = 0
        self.exposures_dropped = 0
        self.looks_failed = 0
        self.saves_failed = 0
        self.failures: Counter[str] = Counter()
