"""The answers of a batch: codes and names, never an object a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from allotment.engine import report
from allotment.errors import InvalidInput, MissingExtra
from allotment.kernel.export import export_column, export_table
from allotment.model.assignment import REASONS, Reason

Codes = npt.NDArray[np.int16]
ReasonCodes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Column(Sequence[str | None]):
    """What n units get in one experiment: a sequence of treatments, None where a unit gets none.

    codes       int16[n]: the index into `treatments`, -1 where the unit gets none
    reasons     uint8[n]: the index into `allotment.REASONS`
    treatments  the keys of the iteration's treatments
    revision    the catalog revision the experiment's plan was compiled at

    numpy and pandas take it as a column of text, what reads Arrow as dictionary<int16, utf8>.
    """

    codes: Codes
    reasons: ReasonCodes
    treatments: tuple[str, ...]
    revision: int

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, row: int) -> str | None: ...
    @overload
    def __getitem__(self, row: slice) -> Column: ...
    def __getitem__(self, row: int | slice) -> str | Column | None:
        if isinstance(row, slice):
            return Column(self.codes[row], self.reasons[row], self.treatments, self.revision)
        code = int(self.codes[row])
        return None if code < 0 else self.treatments[code]

    def __iter__(self) -> Iterator[str | None]:
        return iter(self.names())

    def counts(self) -> dict[tuple[str | None, Reason], int]:
        """How many units got which treatment for which reason; other outcomes are absent."""
        width = len(REASONS)
        joint = (self.codes.astype(np.int64) + 1) * width + self.reasons
        tally = np.bincount(joint, minlength=(len(self.treatments) + 1) * width)
        names = (None, *self.treatments)
        return {
            (names[index // width], REASONS[index % width]): int(tally[index])
            for index in np.flatnonzero(tally)
        }

    def transitions(self, after: Column) -> dict[tuple[str | None, str | None], int]:
        """How many units go from which treatment to which; None is no treatment.

        `after` has what the same units get later, or under another catalog. Pairs without a unit
        are absent. Raises InvalidInput where the two are not of one length.
        """
        if len(self) != len(after):
            raise InvalidInput(f"{len(after):,} units stand beside {len(self):,}")
        names, others = (None, *self.treatments), (None, *after.treatments)
        joint = (self.codes.astype(np.int64) + 1) * len(others) + after.codes + 1
        tally = np.bincount(joint, minlength=len(names) * len(others))
        return {
            (names[index // len(others)], others[index % len(others)]): int(tally[index])
            for index in np.flatnonzero(tally)
        }

    def names(self) -> list[str | None]:
        """The treatment of each unit as text: convenient, and ten times slower than `codes`."""
        return list(self.to_numpy())

    def to_numpy(self) -> npt.NDArray[np.object_]:
        """object[n]: the treatment of each unit as text, None where it gets none."""
        table: npt.NDArray[np.object_] = np.array([*self.treatments, None], dtype=object)
        return table[self.codes]

    def to_arrow(self) -> Any:
        """A `pyarrow.DictionaryArray`; raises MissingExtra where pyarrow is not installed."""
        return _library("pyarrow").array(self)

    def to_polars(self, name: str = "") -> Any:
        """A categorical `polars.Series`; raises MissingExtra where polars is not installed.

        `DataFrame.with_columns(name=...)` of Polars takes a Series and not a Column.
        """
        return _library("polars").Series(_AsArrow(self)).alias(name)

    def to_pandas(self) -> Any:
        """A categorical `pandas.Series`; raises MissingExtra where pandas is not installed."""
        pandas = _library("pandas")
        return pandas.Series(pandas.Categorical.from_codes(self.codes, self.treatments))

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        if copy is False:
            raise ValueError("the treatments are not kept as text, so an array of them is a copy")
        return self.to_numpy() if dtype is None else self.to_numpy().astype(dtype)

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        return export_column(self.codes, self.treatments)

    def __str__(self) -> str:
        return report.text(self.counts())

    def _repr_html_(self) -> str:
        return report.html(self.counts())


class _AsArrow:
    """A column that is nothing but Arrow: Polars would read a sequence row by row, as text."""

    def __init__(self, column: Column) -> None:
        self.__arrow_c_array__ = column.__arrow_c_array__


@dataclass(frozen=True, slots=True, eq=False)
class Table(Mapping[str, Column]):
    """What n units get in several experiments: a mapping from experiment to Column.

    columns  the column of each experiment, by its key

    Exports itself as an Arrow struct array (a record batch) with one field an experiment.
    """

    columns: dict[str, Column]

    def __getitem__(self, experiment: str) -> Column:
        return self.columns[experiment]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def counts(self) -> dict[str, Counter[tuple[str | None, Reason]]]:
        """The counts of every column."""
        return {key: Counter(column.counts()) for key, column in self.columns.items()}

    def to_numpy(self) -> npt.NDArray[np.object_]:
        """object[n, experiments]: the treatments as text, None where a unit gets none."""
        if not self.columns:
            raise InvalidInput("a table without experiments does not know how many units it has")
        return np.column_stack([column.to_numpy() for column in self.values()])

    def to_arrow(self) -> Any:
        """A `pyarrow.RecordBatch`; raises MissingExtra where pyarrow is not installed."""
        return _library("pyarrow").record_batch(self)

    def to_polars(self) -> Any:
        """A `polars.DataFrame`; raises MissingExtra where polars is not installed."""
        polars = _library("polars")
        return polars.DataFrame([column.to_polars(key) for key, column in self.items()])

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame`; raises MissingExtra where pandas is not installed."""
        frame = {key: column.to_pandas() for key, column in self.items()}
        return _library("pandas").DataFrame(frame)

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        return export_table(
            list(self.columns),
            [(column.codes, column.treatments) for column in self.columns.values()],
        )

    def __str__(self) -> str:
        return "\n\n".join(f"{key}\n{column}" for key, column in self.items())

    def _repr_html_(self) -> str:
        return "".join(report.html(column.counts(), title=key) for key, column in self.items())


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise MissingExtra(f"this needs {name}: pip install {name}") from error
