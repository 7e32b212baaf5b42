"""Exposures of an application: the engine's answers, and a record of each treatment given."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from allotment.engine import Engine
from allotment.engine.engine import Attributes, Unit
from allotment.engine.evaluation import Still, evaluate, shown
from allotment.errors import InvalidInput
from allotment.exposures.recording import Recording
from allotment.exposures.sink import Sink
from allotment.model.assignment import Assignment, Resolution

# How often the thread looks: waking it for each answer would cost the answer more than recording.
_LOOK_SECONDS: Final = 0.1

log: Final = logging.getLogger("allotment.exposures")

_open: weakref.WeakSet[Exposures] = weakref.WeakSet()


@dataclass(slots=True)
class ExposureCounts:
    """What became of exposures.

    exposures_written  those that the sink took
    exposures_dropped  those that found the queue full, that the sink refused, or that it did not
                       take by the end
    """

    exposures_written: int = 0
    exposures_dropped: int = 0


class Exposures:
    """Answers as an engine does, and records each treatment that it gives.

        with Exposures(engine, FileSink("exposures")) as exposures:
            exposures.assign("checkout", "user-1").treatment

    A call never waits: a daemon thread writes. What waits is written by `close`, and at the end of
    the process, within a deadline. A child process begins with an empty queue.
    """

    def __init__(  # noqa: PLR0913  # each is a setting
        self,
        engine: Engine,
        sink: Sink,
        *,
        space: str | None = None,
        queue: int = 100_000,
        now: Callable[[], float] = time.time,
        deadline: float = 5.0,
    ) -> None:
        """An exposure that finds the queue full is dropped and counted.

        `deadline` is how many seconds the end of the process may wait for the sink.
        """
        if queue < 1:
            raise InvalidInput("a queue of exposures holds at least one")
        self.engine = engine
        self.counts = ExposureCounts()
        self._still = Still(engine)
        self._space = space
        self._deadline = deadline
        self._recording = Recording(
            sink, self.counts, queue=queue, now=now, wake=self._wake, failed=self._failed
        )
        self._at_once = self._recording.sink.at_once
        self._said = ""
        self._begin()
        _open.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None
        self._until: float | None = None  # the deadline, once it is closed

    def assign(
        self,
        experiment: str,
        unit: Unit,
        attributes: Attributes = None,
        stored: str | None = None,
    ) -> Assignment:
        """As `Engine.assign`; a treatment is recorded."""
        still = self._still.now()
        given = still.assign(experiment, unit, attributes, stored)
        assert isinstance(given, Assignment)
        self.record(still, given, unit, attributes)
        return given

    def resolve(
        self,
        flag: str,
        unit: Unit,
        attributes: Attributes = None,
        stored: Mapping[str, str] | None = None,
    ) -> Resolution:
        """As `Engine.resolve`; the treatment that the value comes from is recorded."""
        still = self._still.now()
        resolution, given = evaluate(still, flag, unit, attributes, stored)
        if given is not None:
            self.record(still, given, unit, attributes)
        return resolution

    def record(
        self, still: Engine, given: Assignment, unit: Unit, attributes: Attributes = None
    ) -> None:
        """Record what an engine that never changes gave a unit, if it is a treatment."""
        if given.treatment is None or self._until is not None:
            return
        kind, key, allocation = shown(still, given, unit, attributes)
        self._recording.log(self._space, kind, key, given, allocation)
        if self._at_once:
            with self._lock:
                self._recording.step()
        elif self._thread is None:
            self._start()

    def close(self, deadline: float | None = None) -> None:
        """Write what waits, within so many seconds; what is asked later is not recorded."""
        with self._lock:
            if self._until is not None:
                return
            patience = self._deadline if deadline is None else deadline
            self._until = time.monotonic() + patience
            thread = self._thread
        _open.discard(self)
        if thread is None:
            self._end()
            return
        self._woken.set()
        thread.join(patience + 0.1)
        # A sink that hangs keeps its batch; the process does not wait for it.
        self._recording.drop_rest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def forked(self) -> None:
        """Begin with nothing, in a child process; the parent writes what it has."""
        self.counts.exposures_written = self.counts.exposures_dropped = 0
        self._recording.reset()
        self._recording.sink.forked()
        self._begin()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and self._until is None:
                thread = threading.Thread(target=self._run, name="allotment-exposures", daemon=True)
                thread.start()
                self._thread = thread

    def _wake(self) -> None:
        self._woken.set()

    def _run(self) -> None:
        while self._until is None:
            self._woken.wait(_LOOK_SECONDS)
            self._woken.clear()
            try:
                self._recording.step()
            except Exception as error:  # noqa: BLE001  # it is tried again
                self._failed(error)
        self._end()

    def _end(self) -> None:
        try:
            self._recording.end(self._until or 0.0)
        except Exception as error:  # noqa: BLE001  # what was not written is counted
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        said = str(error) or type(error).__name__
        if said != self._said:
            log.warning("exposures: %s", said)
        self._said = said


def _close_all() -> None:
    for each in list(_open):
        each.close()


def _forked() -> None:
    for each in list(_open):
        each.forked()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
