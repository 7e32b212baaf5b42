"""The way from an answer to a sink, without a thread of its own: a bounded queue, and steps."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from allotment.exposures.exposure import Exposure
from allotment.exposures.seen import Seen
from allotment.exposures.sink import Refused, Sink, own
from allotment.model.assignment import Assignment

# How many exposures are surely remembered as written: some 20 MB of marks at the most.
WINDOW: Final = 131_072

# How long a batch waits that was not taken: at first, and at the most, in seconds. The pauses
# double; each is shortened by up to a half by chance, so that many clients do not come as one.
PAUSE_MIN: Final = 0.1
PAUSE_MAX: Final = 30.0


class Counts(Protocol):
    """What became of exposures."""

    exposures_written: int
    exposures_dropped: int


class Recording:
    """Takes exposures without waiting, and hands them to a sink, each once while remembered.

    One that finds the queue full is dropped and counted; so is what the sink refuses, and what it
    did not take by the end. Another thread than those that `log` calls `step` again and again.
    """

    def __init__(  # noqa: PLR0913  # what the two who drive it do differently
        self,
        sink: Sink,
        counts: Counts,
        *,
        queue: int,
        now: Callable[[], float] = time.time,
        wake: Callable[[], None] = lambda: None,
        failed: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        """`wake` asks for a step soon; `failed` is called for an exposure that no row can hold."""
        self.sink = own(sink)
        self.counts = counts
        self._limit = queue
        self._now = now
        self._wake = wake
        self._failed = failed
        self.reset()

    def reset(self) -> None:
        """Begin with nothing, as in a child process: the parent writes what it has."""
        self._waiting: deque[tuple[int, str | None, str, str, Assignment, str | None]] = deque()
        self._held: list[Exposure] = []  # new ones that the sink has not taken yet
        self._seen = Seen(WINDOW)
        self._lock = threading.Lock()  # of the counts, which several threads add to
        self._failures = 0
        self._not_before = 0.0

    def log(  # noqa: PLR0913, PLR0917  # each is a field of an exposure
        self,
        space: str | None,
        kind: str,
        unit: str,
        given: Assignment,
        allocation: str | None = None,
        at: int | None = None,
    ) -> None:
        """Log that a unit was given a treatment, now or `at` some millisecond; never waits."""
        count = len(self._waiting)
        if count >= self._limit:
            self._drop(1)
            return
        moment = int(self._now() * 1000) if at is None else at
        self._waiting.append((moment, space, kind, unit, given, allocation))
        if count == self._limit // 2:
            self._wake()

    def step(self) -> None:
        """Write all that waits, if no batch that failed is to wait; raises what a sink raises."""
        if time.monotonic() < self._not_before:
            return
        self.sink.tick()
        while self._held or self._waiting:
            if not self._held:
                self._take()
            self._write()

    def end(self, deadline: float) -> None:
        """Write what waits, by a moment of `time.monotonic`, and close the sink."""
        try:
            while True:
                self._not_before = 0.0
                try:
                    self.step()
                except Exception as error:  # it is tried again while there is time
                    left = deadline - time.monotonic()
                    if left <= 0:
                        raise
                    self._failed(error)
                    time.sleep(min(PAUSE_MIN, left))
                else:
                    return
        finally:
            self.drop_rest()
            self.sink.close()

    def drop_rest(self) -> None:
        """Count as dropped what is still there: it will not be written."""
        held, self._held = self._held, []
        self._drop(len(held))
        while self._waiting:
            self._waiting.popleft()
            self._drop(1)

    def _take(self) -> None:
        """Hold the next handful of those that were not written lately."""
        held = []
        for _ in range(min(self.sink.batch_size, len(self._waiting))):
            waiting = self._waiting.popleft()
            try:
                exposure = Exposure.of(*waiting)
                if self._seen.is_new(exposure.mark):
                    held.append(exposure)
            except Exception as error:  # noqa: BLE001  # the others are written
                self._drop(1)
                self._failed(error)
        self._held = held

    def _write(self) -> None:
        held = self._held
        if not held:
            return
        try:
            self.sink.write(tuple(held))
        except Refused as error:
            self._held = []
            self._drop(len(held))
            self._failed(error)
        except Exception:
            pause = min(PAUSE_MAX, PAUSE_MIN * 2.0 ** min(self._failures, 32))
            self._failures += 1
            # Chance of no consequence: when to try again.
            self._not_before = time.monotonic() + pause * random.uniform(0.5, 1)
            raise
        else:
            self._held = []
            with self._lock:
                self.counts.exposures_written += len(held)
        self._failures = 0

    def _drop(self, count: int) -> None:
        with self._lock:
            self.counts.exposures_dropped += count
