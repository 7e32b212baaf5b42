"""What the text of a CSV file stands for: a clause sees it as what it compares with.

A CSV file has no types. So a clause that compares with text sees the text as it is written, one
that compares with numbers sees a number, and one that compares with booleans sees true or false,
whatever other rows hold. A column that is compared with several kinds is seen as each of them.

number   digits, perhaps with a sign, a point and an exponent: 18, 017, -1.5, .5, 1e3; whole numbers
         are exact at any size
boolean  true, t, yes, y, on, 1 or false, f, no, n, off, 0, in upper or lower case

Spaces around a number or a boolean do not count. What is neither is refused, unless a clause
compares the column with text, too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Set as AbstractSet
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from allotment.matching.clause import Compared

_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_BOOLEANS: Final = dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True) | dict.fromkeys(
    ("false", "f", "no", "n", "off", "0"), False
)

# Below it a double holds every whole number.
_EXACT: Final = 1 << 53

_SHOWN_MAX: Final = 60


class Malformed(Exception):
    """A value that a column cannot hold, with its row's position; `said` is for the user."""

    def __init__(self, row: int, said: str) -> None:
        super().__init__(said)
        self.row, self.said = row, said


def check_text(name: str, column: pa.Array) -> None:
    """Raise Malformed for a value that is not UTF-8."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        for row, value in enumerate(column.cast(pa.binary()).to_pylist()):
            try:
                (value or b"").decode()
            except UnicodeDecodeError:
                raise Malformed(row, f"has a value in column {name!r} that is not UTF-8") from error
        raise


def values_of(name: str, column: pa.Array, kinds: AbstractSet[Compared]) -> pa.Array | list[object]:
    """A column of text as what it is compared with; raises Malformed for what is no such value."""
    if kinds <= {Compared.TEXT}:
        return column
    if kinds == {Compared.NUMBER} and (numbers := _exact_numbers(column)) is not None:
        return numbers
    encoded = column.dictionary_encode()
    values = [_value_of(text, kinds) for text in encoded.dictionary.to_pylist()]
    for code, value in enumerate(values):
        if value is None:
            text = encoded.dictionary[code].as_py()
            shown = text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "..."
            wanted = " and no ".join(sorted(kind.value for kind in kinds))
            said = f"has {shown!r} in column {name!r}, which is no {wanted}"
            raise Malformed(encoded.indices.index(code).as_py(), said)
    if kinds == {Compared.BOOLEAN}:
        return pa.array(values, pa.bool_()).take(encoded.indices)
    return [None if code is None else values[code] for code in encoded.indices.to_pylist()]


def _exact_numbers(column: pa.Array) -> pa.Array | None:
    """The numbers, if no text needs a second look: all are plain and small enough to be exact."""
    try:
        numbers = column.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    small = pc.all(pc.less(pc.abs(numbers), _EXACT)).as_py()
    return None if small is False else numbers


def _value_of(text: str, kinds: AbstractSet[Compared]) -> object:
    """What clauses see; a list is seen as each of its elements. None for no such value."""
    seen: list[object] = [text] if Compared.TEXT in kinds else []
    bare = text.strip(" \t")
    if Compared.NUMBER in kinds and _NUMBER.fullmatch(bare):
        seen += _number(bare)
    if Compared.BOOLEAN in kinds and bare.lower() in _BOOLEANS:
        seen.append(_BOOLEANS[bare.lower()])
    if not seen:
        return None
    return seen if len(kinds) > 1 else seen[0]


def _number(text: str) -> list[int | float]:
    """The number that the text writes, unless it is too large for one."""
    try:
        number = int(text)
    except ValueError:  # a fraction, or thousands of digits
        real = float(text)
        return [real] if math.isfinite(real) else []
    return [number]
