"""Answers as JSON: an object a unit, on lines of their own or in one document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from allotment.engine import Column
from allotment.model.assignment import REASONS
from allotment.server.assign.batch.columns import Columns, StickyColumn
from allotment.server.assign.batch.rows import UnitBlock
from allotment.server.assign.bodies import UnitAssignment, UnitFault

_encode: Final = msgspec.json.Encoder().encode


def write_lines(columns: Columns, blocks: Iterable[UnitBlock]) -> Iterator[bytes]:
    """NDJSON: one line a unit, in the order of the request."""
    for part, answers in columns.answers(blocks):
        yield b"".join([line + b"\n" for line in _objects(part, answers)])


def write_document(columns: Columns, blocks: Iterable[UnitBlock]) -> Iterator[bytes]:
    """One document: the revision, what the answers mean, and in `units` an object a unit."""
    yield _encode(columns.legend())[:-1] + b',"units":['
    between = b""
    for part, answers in columns.answers(blocks):
        objects = _objects(part, answers)
        objects[0] = between + objects[0]
        yield b",".join(objects)
        between = b","
    yield b"]}"


def _objects(part: UnitBlock, answers: Mapping[str, Column]) -> list[bytes]:
    cells = [_cells(key, column) for key, column in answers.items()]
    rows = map(b",".join, zip(*cells, strict=True)) if cells else [b""] * part.rows
    objects = [
        b'{"unit":%b,"assignments":{%b}}' % row for row in zip(part.unit_texts(), rows, strict=True)
    ]
    for place, said in part.faults.items():
        objects[place] = b'{"error":%b}' % _encode(UnitFault(said))
    return objects


def _cells(key: str, column: Column) -> list[bytes]:
    """The text of each answer. Few are different, so each of those is made once."""
    width = 2 * len(REASONS)
    joint = (column.codes.astype(np.intp) + 1) * width + 2 * column.reasons.astype(np.intp)
    if isinstance(column, StickyColumn):
        joint += column.to_keep
    texts: npt.NDArray[np.object_] = np.empty((len(column.treatments) + 1) * width, object)
    names = (None, *column.treatments)
    for place in np.flatnonzero(np.bincount(joint)).tolist():
        code, rest = divmod(place, width)
        to_keep = True if rest % 2 else UNSET
        answer = UnitAssignment(names[code], REASONS[rest // 2], to_keep)
        texts[place] = b"%b:%b" % (_encode(key), _encode(answer))
    found: list[bytes] = texts[joint].tolist()
    return found
