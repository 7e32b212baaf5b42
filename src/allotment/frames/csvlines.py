"""The lines of a CSV file, checked as they are read: one row each, with its quotes in pairs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from allotment.errors import InvalidInput
from allotment.frames.rows import reading
from allotment.frames.textfile import TextFile

# What is parsed at a time, and the longest line.
BLOCK_BYTES: Final = 1 << 20

_BOM: Final = b"\xef\xbb\xbf"
_QUOTE: Final = ord('"')
_BEFORE_VALUE: Final = np.frombuffer(b',\n\r"', np.uint8)  # a doubled quote is one closed, one open

# A quote, a value, and a quote that ends it: it stands before a comma, a line's end or nothing.
_VALUE: Final = re.compile(rb'"(?:[^"]++|"")*+"(?=[,\r\n]|\Z)')


class Block(NamedTuple):
    """Whole lines of a file, and how many stand before them."""

    data: bytes
    before: int

    def line(self, row: int) -> int:
        """The number of the line that holds a row; empty lines hold none."""
        there = (at for at, line in enumerate(self.data.splitlines()) if line)
        return self.before + 1 + next(at for number, at in enumerate(there) if number == row)


class CsvLines:
    """A file's lines, block by block; raises InvalidInput, with the line, where a row is no line.

    A quote that is never closed would swallow every row up to the next quote or the end of the
    file, and a parser cannot tell that from a value with line breaks. So such values are refused,
    and so is a quote in a value that does not begin with one (RFC 4180, section 2, rules 5 to 7).
    """

    def __init__(self, file: TextFile) -> None:
        self._file = file

    def blocks(self) -> Iterator[Block]:
        """The lines; a byte order mark is left out."""
        rest, before = b"", 0
        more = self._read().removeprefix(_BOM)
        while data := rest + more:
            self._check_length(data, before)
            size = _whole(data) if more else len(data)
            block, rest = Block(data[:size], before), data[size:]
            if b'"' in block.data:
                self._check_quotes(block, rest)
            before += len(block.data.splitlines())
            if block.data:
                yield block
            more = self._read()

    def _read(self) -> bytes:
        with reading(self._file.name):
            return self._file.read(BLOCK_BYTES)

    def refused(self, line: int, what: str) -> InvalidInput:
        """The error for what is wrong with a line."""
        return InvalidInput(f"{self._file.name} cannot be read: line {line} {what}")

    def _check_length(self, data: bytes, before: int) -> None:
        """Check the first line: any other lies within what was read last."""
        ends = [at for end in (b"\n", b"\r") if (at := data.find(end)) >= 0]
        if min(ends, default=len(data)) > BLOCK_BYTES:
            raise self.refused(before + 1, "is longer than 1 MiB")

    def _check_quotes(self, block: Block, rest: bytes) -> None:
        text = np.frombuffer(block.data, np.uint8)
        quotes = np.flatnonzero(text == _QUOTE)
        opening = quotes[::2]
        before = np.where(opening > 0, text[opening - 1], ord("\n"))
        stray = opening[~np.isin(before, _BEFORE_VALUE)]
        ends = np.append(np.flatnonzero((text == ord("\n")) | (text == ord("\r"))), len(text))
        broken = ends[np.searchsorted(quotes, ends) % 2 == 1]
        at = min((int(found[0]) for found in (stray, broken) if found.size), default=None)
        if at is None:
            return
        line = block.before + len((block.data[:at] + b".").splitlines())
        if stray.size and at == stray[0]:
            raise self.refused(line, "has a quote inside a value that does not begin with one")
        opened = int(quotes[np.searchsorted(quotes, at) - 1])
        if _VALUE.match(block.data + rest + self._read(), opened):
            raise self.refused(
                line,
                "has a value in quotes that goes on in the next line: a row is one line, and no "
                "value holds a line break; Parquet and NDJSON have no such bound",
            )
        raise self.refused(line, "has a quote that is never closed")


def _whole(data: bytes) -> int:
    """The size of the whole lines in `data`; a \\r at its end may be half of an \\r\\n."""
    return max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1
