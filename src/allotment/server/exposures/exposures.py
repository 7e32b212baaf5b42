"""The way from an answer to a file: a bounded queue, and one thread that writes."""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from allotment.errors import StoreError
from allotment.model.assignment import Assignment
from allotment.server.exposures.exposure import Exposure
from allotment.server.exposures.file import File, Form
from allotment.server.exposures.seen import Seen
from allotment.server.settings import Settings
from allotment.server.sync.threads import Threads

# How many exposures are surely remembered as written: some 20 MB of marks at the most.
WINDOW: Final = 131_072

# How many are written at once.
_HANDFUL: Final = 4_096

# The thread looks by the clock: waking it for each answer would cost the answer more than logging.
_LOOK_SECONDS: Final = 0.1

log: Final = logging.getLogger("allotment.server")


class Exposures:
    """Logs treatments that were handed out: each once, as long as it is remembered as written.

    One that finds the queue full is dropped and counted; so is what cannot be written until the
    end. `form` None is off: then nothing is logged, and `on` is False.
    """

    def __init__(  # noqa: PLR0913  # each is a setting
        self,
        form: Form | None,
        folder: Path,
        threads: Threads,
        *,
        queue: int = 100_000,
        rotate_bytes: int = 64 << 20,
        rotate_seconds: float = 3600,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.on = form is not None
        self._form: Form = form or "ndjson"
        self._folder = folder
        self._counters = threads.counters
        self._limit = queue
        self._rotate_bytes = rotate_bytes
        self._rotate_seconds = rotate_seconds
        self._now = now
        self._waiting: deque[tuple[int, str, str, str, Assignment, str | None]] = deque()
        self._held: list[bytes] = []  # new lines that are not on the disk yet
        self._seen = Seen(WINDOW)
        self._file: File | None = None
        self._begun = 0.0
        self._looked_back = False
        self._loop = threads.loop("exposures", self._step, _LOOK_SECONDS, self._end)

    @classmethod
    def of(cls, settings: Settings, threads: Threads) -> Self:
        """As the settings say."""
        return cls(
            None if settings.exposures == "off" else settings.exposures,
            settings.exposures_dir,
            threads,
            queue=settings.exposures_queue,
            rotate_bytes=settings.exposures_rotate_mb << 20,
            rotate_seconds=settings.exposures_rotate_seconds,
        )

    def start(self) -> None:
        """Begin to write; first what processes that crashed left behind is finished."""
        if self.on:
            self._loop.start()

    def close(self, patience: float = 5.0) -> None:
        """Write what waits and finish the file, within so many seconds."""
        self._loop.stop(patience)

    def renew(self) -> None:
        """Finish the file soon, and go on in a new one."""
        self._begun = -math.inf
        self._loop.wake()

    def log(  # noqa: PLR0913, PLR0917  # each is a field of an exposure
        self,
        space: str,
        kind: str,
        unit: str,
        given: Assignment,
        allocation: str | None = None,
        at: int | None = None,
    ) -> None:
        """Log that a unit was given a treatment, now or `at` some millisecond; never waits."""
        count = len(self._waiting)
        if count >= self._limit:
            self._counters.exposures_dropped += 1
            return
        moment = int(self._now() * 1000) if at is None else at
        self._waiting.append((moment, space, kind, unit, given, allocation))
        if count == self._limit // 2:
            self._loop.wake()

    def _step(self) -> None:
        self._write()
        self._rotate_when_due()

    def _end(self) -> None:
        try:
            self._write()
        finally:
            self._counters.exposures_dropped += len(self._held) + len(self._waiting)
            self._finish()

    def _write(self) -> None:
        """Write all that waits; raises StoreError where the disk does not take it."""
        if not self._looked_back:
            self._looked_back = True
            self._finish_leftovers()
        while self._held or self._waiting:
            if not self._held:
                self._take()
            try:
                self._append()
            except OSError as error:
                raise StoreError(
                    f"exposures cannot be written, and wait: {error.strerror}"
                ) from error

    def _take(self) -> None:
        """Hold the next handful of those that were not written lately."""
        for _ in range(min(_HANDFUL, len(self._waiting))):
            waiting = self._waiting.popleft()
            try:
                exposure = Exposure(*waiting)
                if self._seen.is_new(exposure.mark):
                    self._held.append(exposure.line(nested=self._form == "ndjson"))
            except Exception as error:  # noqa: BLE001  # the others are written
                self._counters.exposures_dropped += 1
                self._loop.failed(error)

    def _append(self) -> None:
        if not self._held:
            return
        if self._file is None:
            self._file = File.begin(self._folder, self._form, self._now())
            self._begun = time.monotonic()
        self._file.append(b"".join(self._held))
        self._counters.exposures_written += len(self._held)
        self._held.clear()
        if self._file.size >= self._rotate_bytes:
            self._rotate()

    def _rotate_when_due(self) -> None:
        if self._file is not None and time.monotonic() - self._begun >= self._rotate_seconds:
            self._rotate()

    def _rotate(self) -> None:
        self._finish()
        self._finish_leftovers()

    def _finish(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            self._try_to_finish(file)

    def _finish_leftovers(self) -> None:
        for file in File.left_in(self._folder):
            self._try_to_finish(file)

    def _try_to_finish(self, file: File) -> None:
        try:
            file.finish()
        except Exception as error:  # noqa: BLE001  # others are finished, and more is written
            # What is written stays under its temporary name, and is finished by the next rotation.
            why = error.strerror if isinstance(error, OSError) else error
            log.error("a file of exposures cannot be finished now: %s", why)
            self._counters.failures[self._loop.name] += 1
