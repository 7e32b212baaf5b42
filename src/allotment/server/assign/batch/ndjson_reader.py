"""A batch as NDJSON: a line a unit. A line that cannot be read fails alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, Final

import msgspec
from msgspec import Struct

from allotment.errors import InvalidInput
from allotment.kernel.json_shape import JsonShape
from allotment.server.assign.batch.rows import UnitRows, check_attributes
from allotment.server.assign.reading import ATTRIBUTES_BYTES_MAX
from allotment.server.http.decoding import DEPTH_MAX, MALFORMED, refusal
from allotment.server.http.requests import check_nesting

LINE_BYTES_MAX: Final = 1 << 20

# So no line that is read at once has more attributes than it may.
_PIECE_BYTES: Final = ATTRIBUTES_BYTES_MAX

# What no unit with its attributes reaches: they have at most 64 KiB, and two bytes hold a value.
LINE_VALUES_MAX: Final = 40_000

_TOO_LONG: Final = UnitRows([None], faults={0: f"a line has at most {LINE_BYTES_MAX:,} bytes"})


class _Line(Struct, forbid_unknown_fields=True, gc=False):
    """One unit, and what is known of it."""

    unit: Any
    attributes: dict[str, Any] | None = None


_asked: Final = msgspec.json.Decoder(_Line)


def read_lines(body: IO[bytes]) -> Iterator[UnitRows]:
    """Blocks of lines. Empty lines are passed over; the last line need not end with a line feed."""
    begun = b""
    skipping = False  # whether the line that has begun is too long already
    while chunk := body.read(_PIECE_BYTES):
        if skipping:
            end = chunk.find(b"\n")
            if end < 0:
                continue
            skipping, chunk = False, chunk[end + 1 :]
        text = begun + chunk
        whole = text.rfind(b"\n") + 1
        begun = text[whole:]
        yield _rows(text[:whole])
        if len(begun) > LINE_BYTES_MAX:
            begun, skipping = b"", True
            yield _TOO_LONG
    yield _rows(begun + b"\n")


def _rows(lines: bytes) -> UnitRows:
    return _together(lines) or _one_by_one(lines)


def _together(lines: bytes) -> UnitRows | None:
    """Lines that are all as they should be, read at once; None where it takes a closer look."""
    shape = JsonShape()
    shape.feed(lines)
    # Attributes lie one level down. Only the first line may have begun before what was read last.
    if shape.crowded or shape.deepest > DEPTH_MAX + 1 or lines.find(b"\n") > _PIECE_BYTES:
        return None
    try:
        asked = _asked.decode_lines(lines)
    except MALFORMED:
        return None
    return UnitRows([each.unit for each in asked], [each.attributes for each in asked])


def _one_by_one(piece: bytes) -> UnitRows:
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
            asked = _Line(None)
        keys.append(asked.unit)
        known.append(asked.attributes)
    return UnitRows(keys, known, faults)


def _line(line: bytes) -> _Line:
    if len(line) > LINE_BYTES_MAX:
        raise InvalidInput(f"a line has at most {LINE_BYTES_MAX:,} bytes")
    shape = JsonShape()
    shape.feed(line)
    check_nesting(shape)
    if shape.values > LINE_VALUES_MAX:
        raise InvalidInput(f"a line has at most {LINE_VALUES_MAX:,} values and names of fields")
    try:
        asked = _asked.decode(line)
    except MALFORMED as error:
        raise refusal(error, line) from None
    check_attributes(asked.attributes, len(line))
    return asked
