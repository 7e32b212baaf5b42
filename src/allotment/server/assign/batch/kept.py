"""What is kept of a part of a batch: asked for together, some thousand units at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from allotment.engine import Column
from allotment.kernel.units import unit_keys
from allotment.model.assignment import REASONS, Reason
from allotment.model.experiment import Experiment
from allotment.server.sticky.desk import Found, Wanted
from allotment.server.sticky.lot import after
from allotment.store import Lot

# Says what is kept of what is wanted. It blocks.
Look: TypeAlias = Callable[[Wanted], Mapping[Lot, Found]]

# Single requests share the way to the store, and wait no longer for so many than for a few.
_LOTS: Final = 2_000

_FIRST: Final = [REASONS.index(reason) for reason in (Reason.ALLOCATED, Reason.FALLBACK)]


@dataclass(frozen=True, slots=True, eq=False)
class KeptColumn(Column):
    """The answers of an experiment that keeps assignments; those `to_keep` are not stored yet."""

    to_keep: npt.NDArray[np.bool_]


class KeptRows:
    """The rows of a part for which the store may have an answer, and what it has.

    treatments  what is kept of each row, for an engine; None where it changes nothing
    """

    def __init__(self, experiment: Experiment, units: object, given: Column, look: Look) -> None:
        live = experiment.live
        assert live is not None, "an experiment that keeps assignments is live"
        open_ = [REASONS.index(reason) for reason in after(experiment)]
        rows = np.flatnonzero(np.isin(given.reasons, open_)).tolist()
        keys = unit_keys(units, experiment.unit) if rows else []
        self._lots = {
            row: Lot(experiment.key, live.number, key)
            for row in rows
            if (key := keys[row]) is not None
        }
        self._own: list[int] = []  # rows whose answer was kept just now
        self._givers: dict[Lot, int] = {}  # the row whose answer is to be kept
        self.treatments: list[str | None] | None = None
        found = self._look(look, self._wanted(given))
        stored: list[str | None] = [None] * len(given)
        names = given.treatments
        for row, lot in self._lots.items():
            kept = found.get(lot)
            code = given.codes[row]
            # What a later row leads to keep is not there yet.
            if kept is None or (kept.fresh and row < self._givers[lot]):
                continue
            if kept.fresh and code >= 0 and kept.treatment == names[code]:
                self._own.append(row)
                # The next row of the same unit has it from there.
                found[lot] = kept._replace(fresh=False)
            else:
                stored[row] = kept.treatment
                self.treatments = stored

    def answered(self, given: Column) -> KeptColumn:
        """The answers, once the engine knows what is kept."""
        to_keep = np.isin(given.reasons, _FIRST)
        to_keep[self._own] = False
        return KeptColumn(given.codes, given.reasons, given.treatments, given.revision, to_keep)

    def _wanted(self, given: Column) -> dict[Lot, str | None]:
        wanted: dict[Lot, str | None] = {}
        first = np.isin(given.reasons, _FIRST)
        for row, lot in self._lots.items():
            wanted.setdefault(lot, None)
            if first[row] and lot not in self._givers:
                self._givers[lot] = row
                wanted[lot] = given.treatments[given.codes[row]]
        return wanted

    @staticmethod
    def _look(look: Look, wanted: Wanted) -> dict[Lot, Found]:
        lots = list(wanted)
        found: dict[Lot, Found] = {}
        for start in range(0, len(lots), _LOTS):
            found.update(look({lot: wanted[lot] for lot in lots[start : start + _LOTS]}))
        return found
