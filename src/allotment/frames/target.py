"""Where a result goes: under a temporary name until it is whole."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from allotment.errors import InvalidInput


@contextmanager
def open_target(target: str) -> Iterator[BinaryIO]:
    """A file to write the result `target` into, or standard output for "-".

    The file stands beside the target under a name ending in `.partial`; it takes the target's name
    in one step when the block ends well, and is removed when it ends in any exception, an interrupt
    included. What is no regular file, such as a pipe or a device, is written directly.
    """
    if target == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(target).resolve()
    if path.is_dir():
        raise InvalidInput(f"{target} is a directory")
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        with path.open("wb") as file:
            yield file
        return
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with _opened(partial, target) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _opened(partial: Path, target: str) -> BinaryIO:
    try:
        return partial.open("wb")
    except OSError as error:
        raise InvalidInput(f"{target} cannot be written: {error.strerror}") from error
