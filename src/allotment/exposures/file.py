"""One file of exposures: written under a name that no reader takes up, renamed when it is whole."""

from __future__ import annotations

import fcntl
import itertools
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, Self

from allotment.durable import sync_folder
from allotment.exposures.parquet import write_parquet

Form = Literal["ndjson", "parquet"]

_WRITING: Final = ".writing"
_PARTIAL: Final = ".partial"
_TAIL_BYTES: Final = 1 << 16

_numbers = itertools.count(1)


class File:
    """Lines of NDJSON that end as a file of the given form; locked while a process has it open.

    A Parquet file too is NDJSON until it is finished: then what a crash leaves behind holds every
    line that was written.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size

    @classmethod
    def begin(cls, folder: Path, form: Form, now: float) -> Self:
        """A new file, named after the moment, the process and how many it began before."""
        folder.mkdir(parents=True, exist_ok=True)
        moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        while True:
            name = f"exposures-{moment}-{os.getpid()}-{next(_numbers)}.{form}{_WRITING}"
            path = folder / name
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
            if _is_locked(descriptor, path):
                return cls(path, descriptor)
            os.close(descriptor)  # another process took it for one that was left behind

    @classmethod
    def left_in(cls, folder: Path) -> Iterator[Self]:
        """The files that a process began and did not live to finish, cut after their last line."""
        for path in sorted(folder.glob(f"exposures-*{_WRITING}")):
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            except OSError:
                continue  # finished at this moment, or not ours to finish
            if _is_locked(descriptor, path):
                _cut(descriptor)
                yield cls(path, descriptor)
            else:  # another process is writing it
                os.close(descriptor)

    def append(self, lines: bytes) -> None:
        """Add whole lines, all of them or none; raises OSError for none."""
        view = memoryview(lines)
        try:
            os.lseek(self._descriptor, self.size, os.SEEK_SET)
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError:
            os.ftruncate(self._descriptor, self.size)
            raise
        self.size += len(lines)

    def finish(self) -> None:
        """Make it a whole file under its own name, and let go of it.

        Raises OSError where there is no room for that: what was written stays, for a later start.
        """
        try:
            if self.size == 0:
                self._path.unlink()
                return
            os.fsync(self._descriptor)
            whole = self._path.with_suffix("")
            if whole.suffix == ".parquet":
                self._convert(whole)
            else:
                self._path.rename(whole)
            sync_folder(whole.parent)
        finally:
            os.close(self._descriptor)

    def leave(self) -> None:
        """Let go of it as it is: the process that began it has it open."""
        os.close(self._descriptor)

    def _convert(self, whole: Path) -> None:
        closing = whole.with_suffix(".closing")
        try:
            write_parquet(self._path, closing)
        except ValueError:  # a disk that lost power may hold anything: keep it for a human
            closing.unlink(missing_ok=True)
            self._path.rename(whole.with_suffix(_PARTIAL))
        else:
            closing.rename(whole)
            self._path.unlink()


def _is_locked(descriptor: int, path: Path) -> bool:
    """Whether the file is now locked for this process, and still has its name."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _cut(descriptor: int) -> None:
    """Cut a file after its last whole line."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - _TAIL_BYTES)
        tail = os.pread(descriptor, end - start, start)
        found = tail.rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    os.ftruncate(descriptor, end)
