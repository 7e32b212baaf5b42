"""Answers as JSON: an object a unit, on lines of their own or in one document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from allotment.engine import Column
from allotment.model.assignment import REASONS
from allotment.server.assign.batch.block import Block
from allotment.server.assign.batch.sticky import StickyColumn
from allotment.server.assign.batch.wanted import Wanted
from allotment.server.assign.bodies import UnitAssignment, UnitFault

_encode: Final = msgspec.json.Encoder().encode


class Lines:
    """NDJSON: one line a unit, in the order of the request."""

    def __init__(self, wanted: Wanted) -> None:
        """Nothing is said of what is wanted: a line is all there is."""

    def begin(self, _first: Block) -> bytes:
        """What comes before the first answer."""
        return b""

    def show(self, part: Block, columns: Mapping[str, Column]) -> bytes:
        """The answers of some units."""
        return b"".join([line + b"\n" for line in _objects(part, columns)])

    def end(self) -> bytes:
        """What comes after the last answer."""
        return b""


class Document:
    """One JSON document; the answers are the elements of its array `units`."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._between = b""

    def begin(self, _first: Block) -> bytes:
        """What comes before the first answer: the revision, and what the answers mean."""
        return _encode(self._wanted.legend())[:-1] + b',"units":['

    def show(self, part: Block, columns: Mapping[str, Column]) -> bytes:
        """The answers of some units."""
        before, self._between = self._between, b","
        return before + b",".join(_objects(part, columns))

    def end(self) -> bytes:
        """What comes after the last answer."""
        return b"]}"


def _objects(part: Block, columns: Mapping[str, Column]) -> list[bytes]:
    cells = [_cells(key, column) for key, column in columns.items()]
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
