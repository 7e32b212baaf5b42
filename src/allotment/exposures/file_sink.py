"""The sinks of files: NDJSON and Parquet."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

from allotment.errors import StoreError
from allotment.exposures.exposure import Exposure
from allotment.exposures.file import File
from allotment.exposures.sink import OwnSink

Form = Literal["ndjson", "parquet"]

log: Final = logging.getLogger("allotment.exposures")


def _say(error: Exception) -> None:
    why = error.strerror if isinstance(error, OSError) else error
    log.error("a file of exposures cannot be finished now: %s", why)


class FileSink(OwnSink):
    """Files in a folder, each written under a name that no reader takes up until it is whole.

    A file ends after so many bytes or seconds. What processes that crashed left behind is finished
    by the next one.

    failed  is called for a file that cannot be finished now; a later rotation tries it again
    """

    def __init__(  # each is a setting
        self,
        folder: Path | str,
        form: Form = "ndjson",
        *,
        rotate_bytes: int = 64 << 20,
        rotate_seconds: float = 3600,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder = Path(folder)
        self._form: Form = form
        self._rotate_bytes = rotate_bytes
        self._rotate_seconds = rotate_seconds
        self._now = now
        self.failed: Callable[[Exception], None] = _say
        self._file: File | None = None
        self._begun = 0.0
        self._looked_back = False

    def write(self, batch: Sequence[Exposure], /) -> None:
        """Append them, all or none; raises StoreError where the disk does not take them."""
        try:
            if self._file is None:
                self._file = File.begin(self._folder, self._form, self._now())
                self._begun = time.monotonic()
            self._file.append(b"".join(each.line for each in batch))
        except OSError as error:
            message = f"exposures cannot be written, and wait: {error.strerror}"
            raise StoreError(message) from error
        if self._file.size >= self._rotate_bytes:
            self._rotate()

    def tick(self) -> None:
        """Finish the file when its time is over, and at first what others left behind."""
        if not self._looked_back:
            self._looked_back = True
            self._finish_leftovers()
        if self._file is not None and time.monotonic() - self._begun >= self._rotate_seconds:
            self._rotate()

    def renew(self) -> None:
        """Finish the file at the next tick, and go on in a new one."""
        self._begun = -math.inf

    def close(self) -> None:
        """Finish the file."""
        file, self._file = self._file, None
        if file is not None:
            self._try_to_finish(file)

    def forked(self) -> None:
        """Leave the parent its file."""
        file, self._file = self._file, None
        if file is not None:
            file.leave()

    def _rotate(self) -> None:
        self.close()
        self._finish_leftovers()

    def _finish_leftovers(self) -> None:
        for file in File.left_in(self._folder):
            self._try_to_finish(file)

    def _try_to_finish(self, file: File) -> None:
        try:
            file.finish()
        except Exception as error:  # noqa: BLE001  # others are finished, and more is written
            # What is written stays under its temporary name, and is finished by the next rotation.
            self.failed(error)
