"""Answers as JSON: an object a unit, on lines of their own or in one document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from allotment.engine.column import Column
from allotment.kernel.json_ids import Texts
from allotment.kernel.row_texts import row_texts
from allotment.model.assignment import REASONS
from allotment.server.assign.batch.columns import Columns, Piece, StickyColumn
from allotment.server.assign.batch.rows import UnitBlock
from allotment.server.assign.bodies import UnitAssignment, UnitFault

_encode: Final = msgspec.json.Encoder().encode


class _Around(NamedTuple):
    """What stands before the first object of a part, between two, and behind the last."""

    begin: bytes
    between: bytes
    end: bytes


def write_lines(columns: Columns, blocks: Iterable[UnitBlock]) -> Iterator[Piece]:
    """NDJSON: one line a unit, in the order of the request."""
    for part, answers, is_last in columns.answers(blocks):
        around = _Around(b"", b"\n", b"\n" if part.rows else b"")
        yield b"".join(_written(part, answers, around)), is_last


def write_document(columns: Columns, blocks: Iterable[UnitBlock]) -> Iterator[Piece]:
    """One document: the revision, what the answers mean, and in `units` an object a unit."""
    begin = _encode(columns.legend())[:-1] + b',"units":['
    for part, answers, is_last in columns.answers(blocks):
        around = _Around(begin, b",", b"]}" if is_last else b",")
        yield b"".join(_written(part, answers, around)), is_last
        begin = b""


def _written(part: UnitBlock, answers: Mapping[str, Column], around: _Around) -> Iterator[bytes]:
    """The objects of a part; what is said of a row at fault stands in its place."""
    begin, between, end = around
    start = 0
    for place, said in sorted(part.faults.items()):
        if start < place:
            yield _objects(part, answers, slice(start, place), _Around(begin, between, between))
            begin = b""
        start = place + 1
        after = between if start < part.rows else end
        yield b'%b{"error":%b}%b' % (begin, _encode(UnitFault(said)), after)
        begin = b""
    if start < part.rows:
        yield _objects(part, answers, slice(start, part.rows), _Around(begin, between, end))
    elif not part.rows:
        yield begin + end


def _objects(part: UnitBlock, answers: Mapping[str, Column], rows: slice, around: _Around) -> bytes:
    """The objects of some rows, none of which is at fault."""
    units = part.part(rows.start, rows.stop).unit_texts()
    quote = b'"' if isinstance(units, Texts) else b""
    opening = b'{"unit":' + quote
    keys = [_encode(key) for key in answers]
    treatments = [(None, *column.treatments) for column in answers.values()]

    def word(place: int, code: int, reason: int, to_keep: bool) -> bytes:
        """An answer, with all that stands between it and the texts before and after it."""
        before = quote + b',"assignments":{' if place == 0 else b","
        behind = b"}}" + around.between + opening if place >= len(keys) - 1 else b""
        if not keys:
            return before + behind
        given = UnitAssignment(treatments[place][code + 1], REASONS[reason], to_keep or UNSET)
        return b"%b%b:%b%b" % (before, keys[place], _encode(given), behind)

    cells = [_cells(column, rows) for column in answers.values()]
    count = rows.stop - rows.start
    cells = cells or [(np.zeros(count, np.int16), np.zeros(count, np.uint8), None, 1)]
    less = len(around.between + opening)
    return row_texts(units, cells, word, around.begin + opening, around.end, less)


_Cells = tuple[npt.NDArray[np.int16], npt.NDArray[np.uint8], npt.NDArray[np.uint8] | None, int]


def _cells(column: Column, rows: slice) -> _Cells:
    """Codes, reasons, what is to be kept, and how many treatments there are."""
    marks = column.to_keep[rows].view(np.uint8) if isinstance(column, StickyColumn) else None
    return column.codes[rows], column.reasons[rows], marks, len(column.treatments)
