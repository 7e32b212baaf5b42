"""The answers of a batch: codes and names, never an object a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allotment.kernel.export import export_column, export_table
from allotment.model.assignment import REASONS, Reason

Codes = npt.NDArray[np.int16]
ReasonCodes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """What n units get in one experiment.

    codes       int16[n]: the index into `treatments`, -1 where the unit gets none
    reasons     uint8[n]: the index into `allotment.model.assignment.REASONS`
    treatments  the keys of the iteration's treatments
    revision    the catalog revision the experiment's plan was compiled at

    Exports itself as an Arrow dictionary<int16, utf8> array, null where the unit gets none.
    """

    codes: Codes
    reasons: ReasonCodes
    treatments: tuple[str, ...]
    revision: int

    def __len__(self) -> int:
        return len(self.codes)

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

    def names(self) -> list[str | None]:
        """The treatment of each unit as text: convenient, and ten times slower than `codes`."""
        table: npt.NDArray[np.object_] = np.array([*self.treatments, None], dtype=object)
        return list(table[self.codes])

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        return export_column(self.codes, self.treatments)


@dataclass(frozen=True, slots=True, eq=False)
class Table(Mapping[str, Column]):
    """What n units get in several experiments: a mapping from experiment to Column.

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

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        return export_table(
            list(self.columns),
            [(column.codes, column.treatments) for column in self.columns.values()],
        )
