"""The lines of a CSV file, checked as they are read: one row each, with its quotes in pairs."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from allotment.errors import InvalidInput

# What is parsed at a time, and the longest line.
BLOCK_BYTES: Final = 1 << 20

_BOM: Final = b"\xef\xbb\xbf"
_QUOTE: Final = ord('"')
_BEFORE_VALUE: Final = np.frombuffer(b',\n\r"', np.uint8)  # a doubled quote is one closed, one open


class CsvLines:
    """A file to read from that raises InvalidInput, with the line, where a row is no line.

    A quote that is never closed would swallow every row up to the next quote or the end of the
    file, and a parser cannot tell that from a value with line breaks. So such values are refused,
    and so is a quote in a value that does not begin with one (RFC 4180, section 2, rules 5 to 7).
    """

    closed = False

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.done = 0
        self._path, self._file = path, file
        self._lines = 0
        self._length = 0  # of the line that the last block left unfinished
        self._last = ord("\n")
        self._inside = 0  # 1 between a quote that opens a value and the one that closes it

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, b"" at the end of the file; a byte order mark is left out."""
        data = self._file.read(size)
        if self.done == 0 and data.startswith(_BOM):
            self.done = len(_BOM)
            data = data[len(_BOM) :] + self._file.read(len(_BOM))
        if data:
            self._check(data)
        elif self._inside:
            raise self._unpaired(self._lines + 1)
        self.done = self._file.tell()
        return data

    def close(self) -> None:
        """Close nothing: whoever opened the file does."""

    def _check(self, data: bytes) -> None:
        ends = [at for end in (b"\n", b"\r") if (at := data.find(end)) >= 0]
        if self._length + min(ends, default=len(data)) > BLOCK_BYTES:
            raise InvalidInput(
                f"{self._path} cannot be read: line {self._lines + 1} is longer than 1 MiB"
            )
        if self._inside or b'"' in data:
            self._check_quotes(data)
        rest = len(data) - 1 - max(data.rfind(b"\n"), data.rfind(b"\r"))
        self._length = rest if ends else self._length + rest
        self._lines += _breaks(data)
        self._last = data[-1]

    def _check_quotes(self, data: bytes) -> None:
        text = np.frombuffer(data, np.uint8)
        quotes = np.flatnonzero(text == _QUOTE)
        opening = quotes[self._inside :: 2]
        before = np.where(opening > 0, text[opening - 1], self._last)
        stray = opening[~np.isin(before, _BEFORE_VALUE)]
        ends = np.flatnonzero((text == ord("\n")) | (text == ord("\r")))
        broken = ends[(np.searchsorted(quotes, ends) + self._inside) % 2 == 1]
        if stray.size or broken.size:
            at = min(int(found[0]) for found in (stray, broken) if found.size)
            raise self._unpaired(self._lines + _breaks(data[:at]) + 1)
        self._inside = (self._inside + quotes.size) % 2

    def _unpaired(self, line: int) -> InvalidInput:
        return InvalidInput(
            f"{self._path} cannot be read: line {line} has a quote that is never closed in it, "
            "or that stands inside a value without quotes"
        )


def _breaks(data: bytes) -> int:
    return max(data.count(b"\n"), data.count(b"\r"))  # lines end in \n, in \r\n or in \r
