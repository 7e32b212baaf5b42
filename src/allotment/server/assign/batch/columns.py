"""The experiments that a batch asks for, and their columns of answers: all at one revision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from allotment.compile.experiment import Source
from allotment.engine.column import Column
from allotment.kernel.units import unit_keys
from allotment.model.assignment import REASONS, Reason
from allotment.model.experiment import Experiment
from allotment.server.assign.batch.options import CELLS
from allotment.server.assign.batch.rows import UnitBlock
from allotment.server.assign.bodies import MeaningBody
from allotment.server.sticky.batcher import Found, Wanted
from allotment.server.sticky.key import after
from allotment.server.sync.spaces import Served
from allotment.store import StickyKey

# Says what the store keeps of what is wanted. It blocks.
Look: TypeAlias = Callable[[Wanted], Mapping[StickyKey, Found]]

# Some rows, what each experiment answers to them, and whether they are the last.
Part: TypeAlias = tuple[UnitBlock, Mapping[str, Column], bool]

# Some of the answer, and whether it is the last.
Piece: TypeAlias = tuple[bytes | memoryview, bool]

# Single requests share the way to the store, and wait no longer for so many than for a few.
_STICKY_KEYS: Final = 2_000

_FIRST: Final = [REASONS.index(reason) for reason in (Reason.ALLOCATED, Reason.FALLBACK)]


@dataclass(frozen=True, slots=True, eq=False)
class StickyColumn(Column):
    """The answers of an experiment that keeps assignments; those `to_keep` are not stored yet."""

    to_keep: npt.NDArray[np.bool_]


class Columns:
    """Some experiments of a space, all where none is named; unknown ones answer, too.

    keeping  those of them that keep assignments; `look` says what is kept
    """

    def __init__(self, served: Served, experiments: Sequence[str] | None, look: Look) -> None:
        plans = served.engine.snapshot.plans
        self.experiments = (
            sorted(plans) if experiments is None else list(dict.fromkeys(experiments))
        )
        self._engine = served.engine
        self._known = [key for key in self.experiments if key in plans]
        self.keeping = served.keeping.intersection(self._known)
        self._look = look

    def legend(self) -> dict[str, Any]:
        """The revision, and what the answers of each known experiment mean."""
        known = {key: self._meaning(key) for key in self._known}
        return {"revision": self._engine.snapshot.revision, "experiments": known}

    def _meaning(self, key: str) -> MeaningBody:
        source = self._engine.snapshot.plans[key].source
        assert isinstance(source, Source)
        iteration = source.iteration
        # What is kept now counts at the revision served, and may not have at the plan's.
        revision = self._engine.snapshot.revision if key in self.keeping else source.revision
        treatments = {each.key: dict(each.sets) for each in iteration.treatments}
        return MeaningBody(iteration.number, revision, iteration.control, treatments)

    def answers(self, blocks: Iterable[UnitBlock]) -> Iterator[Part]:
        """Parts of the blocks, each with a column of answers an experiment: at least one part.

        There is a block at least. A part that has no rows is the only one.
        """
        parts = self._parts(blocks)
        part = next(parts)
        for following in parts:
            if not following.rows:
                continue
            if part.rows:
                yield part, self._assign(part), False
            part = following
        yield part, self._assign(part), True

    def _parts(self, blocks: Iterable[UnitBlock]) -> Iterator[UnitBlock]:
        rows = max(1, CELLS // max(1, len(self.experiments)))
        for block in blocks:
            for start in range(0, max(1, block.rows), rows):
                yield block.part(start, min(start + rows, block.rows))

    def _assign(self, part: UnitBlock) -> Mapping[str, Column]:
        known: Mapping[str, Column] = {}
        if self._known:
            known = self._engine.assign_table(part.units(), self._known, part.attributes())
            if self.keeping:
                kept = {key: self._kept(key, part, known[key]) for key in sorted(self.keeping)}
                known = {**known, **kept}
        if len(known) == len(self.experiments):
            return known
        return {**dict.fromkeys(self.experiments, _unknown(part.rows)), **known}

    def _kept(self, key: str, part: UnitBlock, given: Column) -> Column:
        """The answers of an experiment that keeps assignments."""
        units = part.units()
        stored = _StickyRows(self._engine.catalog.experiments[key], units, given, self._look)
        if stored.treatments is not None:
            given = self._engine.assign_many(
                key, units, part.attributes(), stored=stored.treatments
            )
        return stored.answered(given)


class _StickyRows:
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


def _unknown(rows: int) -> Column:
    codes = np.full(rows, -1, np.int16)
    reasons = np.full(rows, REASONS.index(Reason.UNKNOWN_EXPERIMENT), np.uint8)
    return Column(codes, reasons, (), 0)
