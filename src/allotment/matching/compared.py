"""Which kinds of value a clause compares with: one rule for notes, explanations and files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum

from allotment.model.segment import Clause


class Compared(Enum):
    """A kind of value that an attribute is compared with; a file without types is read by it."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"


def kind_of(value: object) -> Compared:
    """The kind of a value that a clause can compare."""
    if isinstance(value, str):
        return Compared.TEXT
    return Compared.BOOLEAN if isinstance(value, bool) else Compared.NUMBER


def compared(clause: Clause) -> dict[Compared, None]:
    """The kinds that the clause can hold for, in the order of its values; none: any value."""
    return dict.fromkeys(map(kind_of, clause.values))


def unmatched(clauses: Iterable[Clause], held: Compared) -> Iterator[Clause]:
    """The clauses that hold for no value of the kind `held`."""
    for clause in clauses:
        kinds = compared(clause)
        if kinds and held not in kinds:
            yield clause
