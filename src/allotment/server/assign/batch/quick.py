"""Which batches are answered on the event loop: those like one that was quick."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from allotment.server.assign.batch.options import CELLS, BatchOptions
from allotment.server.assign.shown import Shown

if TYPE_CHECKING:
    from allotment.server.assign.batch.pipeline import Ids

T = TypeVar("T")

# A thread and the way to it take a tenth of it. Others wait so long, and that three times at most.
_QUICK_SECONDS: Final = 0.001

# So many ways to ask are remembered for a revision. A way names experiments, of some kilobytes.
_WAYS_MAX: Final = 256
_NAMED_MAX: Final = 100


class Took(NamedTuple):
    """How long a batch took: `cells`, its units times experiments, and processor time."""

    cells: int
    seconds: float

    @property
    def is_quick(self) -> bool:
        """Whether others may wait for it."""
        return self.seconds < _QUICK_SECONDS


class Measured:
    """One answer of a batch of ids, and what such an answer took before at this revision.

    The first of its kind is made in a thread, and so is a larger one than any before.
    """

    def __init__(self, shown: Shown, options: BatchOptions, ids: Ids, cells: int) -> None:
        self._cells = cells
        self._known = shown.took
        named = None if ids.experiments is None else tuple(ids.experiments)
        self._way = (options.given, options.wanted, named)

    @classmethod
    def of(cls, shown: Shown, options: BatchOptions, ids: Ids | None) -> Measured | None:
        """None for an answer that is made in parts, or may wait for the store."""
        if ids is None:
            return None
        plans = shown.served.engine.snapshot.plans
        keys = plans if ids.experiments is None else ids.experiments
        cells = ids.units.rows * max(1, len(keys))
        many = cells > CELLS or (keys is not plans and len(keys) > _NAMED_MAX)
        if many or not shown.served.keeping.isdisjoint(keys):
            return None
        return cls(shown, options, ids, cells)

    @property
    def is_quick(self) -> bool:
        """Whether it is known to be."""
        took = self._known.get(self._way)
        return took is not None and took.is_quick and self._cells <= took.cells

    def make(self, work: Callable[[], T]) -> T:
        """What the work gives, which is measured."""
        begun = time.thread_time()
        made = work()
        took = Took(self._cells, time.thread_time() - begun)
        before = self._known.get(self._way)
        if before is None and len(self._known) >= _WAYS_MAX:
            self._known.clear()
        if before is None or not (took.is_quick and before.is_quick) or before.cells < took.cells:
            self._known[self._way] = took
        return made
