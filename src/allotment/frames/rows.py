"""What is asked of a file of units, and how it comes: batch by batch, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import pyarrow as pa

from allotment.errors import InvalidInput
from allotment.matching.clause import Compared
from allotment.model.assignment import REASONS

# What reading and writing raise; Arrow's other errors are kinds of these.
FAULTS: Final = (pa.ArrowException, OSError, UnicodeError)


@cache
def reason_names() -> pa.Array:
    """The text of each reason, at its code; made at the first use, as that imports pandas."""
    return pa.array([reason.value for reason in REASONS])


@dataclass(frozen=True, slots=True)
class Wanted:
    """The columns to read, and no others: unit kind to column, attribute columns, and others.

    With an attribute stand the kinds of values it is compared with itself, beside what it may hold.
    `others` are only copied to the result. A file may lack those of them that are `optional`.
    """

    units: Mapping[str, str]
    attributes: Mapping[str, AbstractSet[Compared]]
    others: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()

    @property
    def written(self) -> tuple[str, ...]:
        """The columns that are written to the result."""
        return tuple(dict.fromkeys((*self.units.values(), *self.others)))


class Rows(NamedTuple):
    """A batch of n rows.

    units       unit kind to n unit keys, for the engine
    written     column to its n values as they are written to the result, units first; an optional
                column that the file lacks is not there, or null
    attributes  n rows of attributes, for the engine: columns, a record batch, or n dicts
    """

    units: Mapping[str, object]
    written: Mapping[str, pa.Array]
    attributes: object


class RowSource(Protocol):
    """A file that is being read."""

    @property
    def total(self) -> int | None:
        """How much there is: rows of Parquet, bytes of the others; None where nothing tells."""

    @property
    def measure(self) -> str:
        """What `total` counts: "rows" or "bytes"."""

    @property
    def types(self) -> Mapping[str, pa.DataType]:
        """Column to the Arrow type of `Rows.written`."""

    @property
    def columns(self) -> Mapping[str, str]:
        """The wanted columns that the file has, each with its type in words; of NDJSON, none.

        Files that are read together have the same.
        """

    @property
    def absent(self) -> frozenset[str]:
        """Attribute columns that the file does not have: no unit has these attributes."""

    def done(self) -> int:
        """How much of `total` has been read."""

    def batches(self) -> Iterator[Rows]:
        """The rows, in the order of the file; can be asked for once."""


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Turn what goes wrong with reading `path` into InvalidInput that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise InvalidInput(f"there is no file {path}") from error
    except FAULTS as error:
        raise InvalidInput(f"{path} cannot be read: {sentence_of(error)}") from error


def sentence_of(error: BaseException) -> str:
    """What an error of the system or of Arrow says, in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def check_columns(path: str | Path, names: Sequence[str], wanted: Wanted) -> frozenset[str]:
    """The wanted attribute columns that are not among `names`.

    Raises InvalidInput for a column to write that is not there and a wanted one that stands twice.
    """
    for column in wanted.written:
        if column not in names and column not in wanted.optional:
            raise no_column(path, names, column)
    for column in (*wanted.written, *wanted.attributes):
        if names.count(column) > 1:
            raise InvalidInput(f"{path} has {names.count(column)} columns {column!r}")
    return frozenset(wanted.attributes.keys() - set(names))


def no_column(path: str | Path, names: Sequence[str], column: str) -> InvalidInput:
    """The error for a column that a file does not have."""
    known = ", ".join(names) or "none"
    return InvalidInput(f"{path} has no column {column!r}; its columns are: {known}")
