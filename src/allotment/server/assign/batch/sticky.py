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
from allotment.server.sticky.batcher import Found, Wanted
from allotment.server.sticky.key import after
from allotment.store import StickyKey

# Says what is kept of what is wanted. It blocks.
Look: TypeAlias = Callable[[Wanted], Mapping[StickyKey, Found]]

# Single requests share the way to the store, and wait no longer for so many than for a few.
_STICKY_KEYS: Final = 2_000

_FIRST: Final = [REASONS.index(reason) for reason in (Reason.ALLOCATED, Reason.FALLBACK)]


@dataclass(frozen=True, slots=True, eq=False)
class StickyColumn(Column):
    """The answers of an experiment that keeps assignments; those `to_keep` are not stored yet."""

    to_keep: npt.NDArray[np.bool_]


class StickyRows:
    """The rows of a part for which the store may have an answer, and what it has.

    treatments  what is kept of each row, for an engine; None where it changes nothing
    """

    def __init__(self, experiment: Experiment, units: object, given: Column, look: Look) -> None:
        live = experiment.live
        assert live is not None, "an experiment that keeps assignments is live"
        open_ = [REASONS.index(reason) for reason in after(experiment)]
        rows = np.flatnonzero(np.isin(given.reasons, open_)).tolist()
        keys = unit_keys(units, experiment.unit) if rows else []
        self._sticky_keys = {
            row: StickyKey(experiment.key, live.number, key)
            for row in rows
            if (key := keys[row]) is not None
        }
        self._own: list[int] = []  # rows whose answer was kept just now
        self._givers: dict[StickyKey, int] = {}  # the row whose answer is to be kept
        self.treatments: list[str | None] | None = None
        found = self._look(look, self._wanted(given))
        stored: list[str | None] = [None] * len(given)
        names = given.treatments
        for row, sticky_key in self._sticky_keys.items():
            kept = found.get(sticky_key)
            code = given.codes[row]
            # What a later row leads to keep is not there yet.
            if kept is None or (kept.fresh and row < self._givers[sticky_key]):
                continue
            if kept.fresh and code >= 0 and kept.treatment == names[code]:
                self._own.append(row)
                # The next row of the same unit has it from there.
                found[sticky_key] = kept._replace(fresh=False)
            else:
                stored[row] = kept.treatment
                self.treatments = stored

    def answered(self, given: Column) -> StickyColumn:
        """The answers, once the engine knows what is kept."""
        to_keep = np.isin(given.reasons, _FIRST)
        to_keep[self._own] = False
        return StickyColumn(given.codes, given.reasons, given.treatments, given.revision, to_keep)

    def _wanted(self, given: Column) -> dict[StickyKey, str | None]:
        wanted: dict[StickyKey, str | None] = {}
        first = np.isin(given.reasons, _FIRST)
        for row, sticky_key in self._sticky_keys.items():
            wanted.setdefault(sticky_key, None)
            if first[row] and sticky_key not in self._givers:
                self._givers[sticky_key] = row
                wanted[sticky_key] = given.treatments[given.codes[row]]
        return wanted

    @staticmethod
    def _look(look: Look, wanted: Wanted) -> dict[StickyKey, Found]:
        sticky_keys = list(wanted)
        found: dict[StickyKey, Found] = {}
        for start in range(0, len(sticky_keys), _STICKY_KEYS):
            found.update(
                look(
                    {
                        sticky_key: wanted[sticky_key]
                        for sticky_key in sticky_keys[start : start + _STICKY_KEYS]
                    }
                )
            )
        return found
