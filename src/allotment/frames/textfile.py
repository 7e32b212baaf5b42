"""The bytes of a text file as they are read: plain, compressed, or from standard input."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

import pyarrow as pa

from allotment.errors import InvalidInput
from allotment.frames.rows import reading

# The ends of a name that tell how a file is compressed, each with Arrow's word for it.
COMPRESSED: Final = {".gz": "gzip", ".zst": "zstd"}


class TextFile:
    """Reads bytes; what is compressed is decompressed as it is asked for, never whole.

    name   what errors call the file
    total  its bytes as they lie there, compressed or not; None where that is not known
    """

    def __init__(self, name: str, raw: BinaryIO, total: int | None, codec: str | None) -> None:
        self.name, self.total = name, total
        self._raw, self._read, self._ended = raw, 0, False
        self._file = raw
        if codec is not None:
            stream = pa.CompressedInputStream(pa.PythonFile(raw, "r"), codec)
            self._file = cast(BinaryIO, io.BufferedReader(stream))

    def read(self, size: int) -> bytes:
        """The next `size` bytes, fewer at the end alone.

        The end is seen once: a terminal would have it typed again.
        """
        if self._ended:
            return b""
        data = self._file.read(size)
        self._ended = len(data) < size
        return self._counted(data)

    def readline(self, limit: int) -> bytes:
        """The rest of a line, or `limit` bytes of it."""
        return b"" if self._ended else self._counted(self._file.readline(limit))

    def done(self) -> int:
        """How many of the bytes have been read, as `total` counts them."""
        return self._read if self._file is self._raw else self._raw.tell()

    def _counted(self, data: bytes) -> bytes:
        self._read += len(data)
        return data


@contextmanager
def open_text(path: Path | None) -> Iterator[TextFile]:
    """A text file whose name tells how it is compressed; standard input, as it comes, for None."""
    if path is None:
        yield TextFile("standard input", sys.stdin.buffer, None, None)
        return
    codec = COMPRESSED.get(path.suffix.lower())
    with reading(path):
        opened = path.open("rb")
    with opened as raw:
        size = path.stat().st_size
        if codec is not None and not size:
            raise InvalidInput(f"{path} cannot be read: it is empty, and no compressed file is")
        yield TextFile(str(path), raw, size, codec)
