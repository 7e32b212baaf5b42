"""The experiments that a batch asks for, and what they answer: all at one revision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from allotment.compile.experiment import Source
from allotment.engine import Column
from allotment.model.assignment import REASONS, Reason
from allotment.server.assign.batch.block import Block
from allotment.server.assign.batch.sticky import Look, StickyRows
from allotment.server.assign.bodies import MeaningBody
from allotment.server.sync.spaces import Served

# Units times experiments that are answered at a time: some megabytes, however many of either.
_CELLS: Final = 1 << 15


class Wanted:
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

    def outcomes(self, block: Block) -> Iterator[tuple[Block, Mapping[str, Column]]]:
        """Parts of the block, each with a column of answers an experiment."""
        rows = max(1, _CELLS // max(1, len(self.experiments)))
        for start in range(0, block.rows, rows):
            part = block.part(start, min(start + rows, block.rows))
            yield part, self._assign(part)

    def _assign(self, part: Block) -> Mapping[str, Column]:
        known: Mapping[str, Column] = {}
        if self._known:
            known = self._engine.assign_table(part.units(), self._known, part.attributes())
            if self.keeping:
                kept = {key: self._kept(key, part, known[key]) for key in sorted(self.keeping)}
                known = {**known, **kept}
        if len(known) == len(self.experiments):
            return known
        return {**dict.fromkeys(self.experiments, _unknown(part.rows)), **known}

    def _kept(self, key: str, part: Block, given: Column) -> Column:
        """The answers of an experiment that keeps assignments."""
        units = part.units()
        stored = StickyRows(self._engine.catalog.experiments[key], units, given, self._look)
        if stored.treatments is not None:
            given = self._engine.assign_many(
                key, units, part.attributes(), stored=stored.treatments
            )
        return stored.answered(given)


def _unknown(rows: int) -> Column:
    codes = np.full(rows, -1, np.int16)
    reasons = np.full(rows, REASONS.index(Reason.UNKNOWN_EXPERIMENT), np.uint8)
    return Column(codes, reasons, (), 0)
