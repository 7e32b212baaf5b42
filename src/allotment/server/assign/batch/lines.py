"""A batch as NDJSON: a line a unit, read as it comes. A line that cannot be read fails alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from allotment.errors import InvalidInput
from allotment.server.assign.batch.block import Rows
from allotment.server.assign.reading import (
    ATTRIBUTES_BYTES_MAX,
    check_depth,
    check_size,
)
from allotment.server.http.decoding import MALFORMED, refusal

LINE_BYTES_MAX: Final = 1 << 20

# Reading so much takes some milliseconds.
_PIECE_BYTES: Final = 256 << 10

_TOO_LONG: Final = Rows([None], faults={0: f"a line has at most {LINE_BYTES_MAX:,} bytes"})
_NESTED: Final = (dict, list)


class LineAsked(Struct, forbid_unknown_fields=True, gc=False):
    """One unit, and what is known of it."""

    unit: Any
    attributes: dict[str, Any] | None = None


_asked: Final = msgspec.json.Decoder(LineAsked)
_encode: Final = msgspec.json.Encoder().encode


class LinesSource:
    """Cuts the body into lines, and passes over empty ones.

    held         bytes of a line whose end has not come yet
    experiments  what is asked for; None is all
    """

    def __init__(self, experiments: list[str] | None) -> None:
        self.held = 0
        self.experiments = experiments
        self._begun = b""
        self._skipping = False  # whether the line that has begun is too long already

    def feed(self, chunk: bytes) -> Iterator[Rows]:
        """The blocks of the lines that end within this much more of the body."""
        if self._skipping:
            end = chunk.find(b"\n")
            if end < 0:
                return
            self._skipping, chunk = False, chunk[end + 1 :]
        text = self._begun + chunk
        whole = text.rfind(b"\n") + 1
        self._begun = text[whole:]
        yield from _blocks(text[:whole])
        if len(self._begun) > LINE_BYTES_MAX:
            self._begun, self._skipping = b"", True
            yield _TOO_LONG
        self.held = len(self._begun)

    def end(self) -> Iterator[Rows]:
        """The block of the last line, which need not end with a line feed."""
        text, self._begun = self._begun, b""
        yield from _blocks(text + b"\n") if text.strip() else [Rows([])]


def _blocks(text: bytes) -> Iterator[Rows]:
    """Whole lines, piece by piece."""
    start = 0
    while start < len(text):
        stop = text.rfind(b"\n", start, start + _PIECE_BYTES) + 1
        if stop == 0:
            stop = text.index(b"\n", start) + 1
        piece = text[start:stop]
        yield _together(piece) or _one_by_one(piece)
        start = stop


def _together(piece: bytes) -> Rows | None:
    """Lines that are all as they should be, read at once; None where it takes a closer look.

    Where every line begins and ends with a brace, none of a valid text goes on in the next; and
    where there are as many objects as lines, none holds two.
    """
    count = piece.count(b"\n")
    braced = piece.startswith(b"{") and piece.count(b"}\n{") == count - 1
    if not braced or _has_long_line(piece):
        return None
    try:
        asked = _asked.decode_lines(piece)
    except MALFORMED:
        return None
    if len(asked) != count:
        return None
    try:
        for each in asked:
            _check(each, 0)
    except InvalidInput:
        return None
    return Rows([each.unit for each in asked], [each.attributes for each in asked])


def _has_long_line(piece: bytes) -> bool:
    """Whether a line may have more bytes than attributes may."""
    start = 0
    while start < len(piece):
        start = piece.rfind(b"\n", start, start + ATTRIBUTES_BYTES_MAX) + 1
        if start == 0:
            return True
    return False


def _one_by_one(piece: bytes) -> Rows:
    keys: list[Any] = []
    known: list[dict[str, Any] | None] = []
    faults: dict[int, str] = {}
    for line in piece.split(b"\n"):
        if not line.strip():
            continue
        try:
            asked = _line(line)
        except InvalidInput as error:
            faults[len(keys)] = error.message
            asked = LineAsked(None)
        keys.append(asked.unit)
        known.append(asked.attributes)
    return Rows(keys, known, faults)


def _line(line: bytes) -> LineAsked:
    if len(line) > LINE_BYTES_MAX:
        raise InvalidInput(f"a line has at most {LINE_BYTES_MAX:,} bytes")
    try:
        asked = _asked.decode(line)
    except MALFORMED as error:
        raise refusal(error, line) from None
    _check(asked, len(line))
    return asked


def _check(asked: LineAsked, size: int) -> None:
    """Refuse attributes beyond the limits; `size` is how much was written, or more."""
    known = asked.attributes
    if not known:
        return
    if any(type(value) in _NESTED for value in known.values()):
        check_depth(known, "$.attributes")
    if size > ATTRIBUTES_BYTES_MAX:
        check_size(len(_encode(known)), "$.attributes")
