"""Batch by batch: rows in, the treatment and the reason of every unit out, and the counts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allotment.engine import Engine
from allotment.errors import InvalidInput
from allotment.frames.ratio import Ratio, sample_ratio
from allotment.frames.rows import Rows, RowSource, reason_names
from allotment.frames.strata import Strata
from allotment.model.assignment import REASONS, Reason

_CODED = pa.dictionary(pa.int16(), pa.string())


class Tally:
    """How many units of an experiment got which treatment for which reason, as it runs."""

    def __init__(self, strata: Strata) -> None:
        self._strata = strata
        # One row a reason, one column a stratum; the last column counts units without a treatment.
        self._counts = np.zeros((len(REASONS), len(strata.back)), np.int64)

    @property
    def treatments(self) -> tuple[str, ...]:
        """The experiment's treatments."""
        return self._strata.treatments

    def add(self, codes: npt.NDArray[np.int16], reasons: npt.NDArray[np.uint8]) -> None:
        """Count n units by the codes of their strata and their reasons."""
        width = self._counts.shape[1]
        joint = reasons.astype(np.int64) * width + codes % width  # -1 is the last column
        self._counts += np.bincount(joint, minlength=self._counts.size).reshape(-1, width)

    def named(self, codes: npt.NDArray[np.int16]) -> pa.DictionaryArray:
        """The treatments that codes of strata stand for, null for -1."""
        own = self._strata.back[codes]
        names = pa.array(self.treatments, pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(own, mask=own < 0), names)

    def counts(self) -> dict[tuple[str | None, Reason], int]:
        """Units by treatment and reason, in the order of the checks and then of the treatments.

        Outcomes without a unit are left out.
        """
        own = self._strata.back
        by_treatment = np.zeros((len(REASONS), len(self.treatments) + 1), np.int64)
        np.add.at(by_treatment.T, own, self._counts.T)  # -1, none, is the last again
        names = (*self.treatments, None)
        return {
            (names[code], REASONS[reason]): int(by_treatment[reason, code])
            for reason, code in zip(*np.nonzero(by_treatment), strict=True)
        }

    def ratios(self) -> dict[str, Ratio]:
        """The sample-ratio check of each allocation, over the units it dealt a treatment."""
        dealt = self._counts.sum(axis=0)  # nothing but its allocation gives a stratum
        return {
            allocation: sample_ratio([int(dealt[code]) for code, _ in parts], [n for _, n in parts])
            for allocation, parts in self._strata.parts.items()
        }


def result_schema(source: RowSource, experiments: Mapping[str, Strata]) -> pa.Schema:
    """The columns of the result: the units, then a treatment and a reason for each experiment.

    Raises InvalidInput where two of them would have the same name.
    """
    fields = list(source.types.items())
    for key in experiments:
        fields += [(key, _CODED), (f"{key}.reason", _CODED)]
    names = [name for name, _ in fields]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"the result would have two columns {name!r}")
    return pa.schema(fields)


def assigned(
    engine: Engine, rows: Rows, tallies: Mapping[str, Tally], *, threads: int = 1
) -> pa.RecordBatch:
    """The result of one batch, under an engine whose experiments are stratified; counts it, too."""
    table = engine.assign_table(rows.units, tallies, rows.attributes, threads=threads)
    columns = dict(rows.written)
    for key, tally in tallies.items():
        outcome = table[key]
        tally.add(outcome.codes, outcome.reasons)
        columns[key] = tally.named(outcome.codes)
        columns[f"{key}.reason"] = pa.DictionaryArray.from_arrays(
            outcome.reasons.astype(np.int16), reason_names()
        )
    return pa.RecordBatch.from_pydict(columns)
