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
from allotment.frames.rows import FAULTS, sentence_of


@contextmanager
def open_target(target: str) -> Iterator[BinaryIO]:
    """A file to write the result `target` into, or standard output for "-".

    The file stands beside the target under a name ending in `.partial`; it takes the target's name
    in one step when the block ends well, and is removed when it ends in any exception, an interrupt
    included. What is no regular file, such as a pipe or a device, is written directly, and so is
    what the number of an open file names under /dev/fd. Raises InvalidInput where the system does
    not let it be written, except for BrokenPipeError, which says that the reader has gone.
    """
    try:
        with _open(target) as file:
            yield file
    except BrokenPipeError:
        raise
    except FAULTS as error:
        name = "standard output" if target == "-" else target
        raise InvalidInput(f"{name} cannot be written: {sentence_of(error)}") from error


@contextmanager
def _open(target: str) -> Iterator[BinaryIO]:
    if target == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    named = Path(target)
    if named.is_dir():
        raise InvalidInput(f"{target} is a directory")
    by_number = named.is_relative_to("/dev/fd")
    # What such a name links to may be no name at all, so it is not followed.
    if by_number or (named.exists() and not stat.S_ISREG(named.stat().st_mode)):
        with named.open("wb") as file:
            yield file
        return
    path = named.resolve()
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
