"""Notes on columns of a type that a condition can never match: once for each, before the run."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping

from allotment.compile.experiment import Source
from allotment.compile.snapshot import Snapshot
from allotment.kernel.plan import Plan
from allotment.matching.clause import Compared, unmatched
from allotment.matching.program import compile_program

Note = Callable[[str], object]
Held = Mapping[tuple[str, ...], str]

# From `warnings.warn` to who called `assign_many` or `assign_table`.
_LEVELS = 5


class NeverMatches(UserWarning):
    """A column of a batch holds values of a type that a condition can never match."""


def warn(text: str) -> None:
    """The note as a warning at the line that asked for the batch."""
    warnings.warn(text, NeverMatches, stacklevel=_LEVELS)


class BatchNotes:
    """What was noted about the columns of batches under one snapshot."""

    def __init__(self, snapshot: Snapshot, note: Note) -> None:
        self._snapshot, self._note = snapshot, note
        self._known: set[tuple[str, tuple[str, ...], str]] = set()
        self._said: set[str] = set()

    def on(self, plans: Mapping[str, Plan], held: Held) -> None:
        """Say each text once, whichever experiments and batches lead to it."""
        for key, plan in plans.items():
            for path, kind in held.items():
                if (key, path, kind) not in self._known:
                    self._known.add((key, path, kind))
                    for text in self._texts(plan, path, Compared(kind)):
                        if text not in self._said:
                            self._said.add(text)
                            self._note(text)

    def _texts(self, plan: Plan, path: tuple[str, ...], held: Compared) -> Iterator[str]:
        from allotment.matching.why import never_matches  # noqa: PLC0415  # few columns have one

        assert isinstance(plan.source, Source)
        segments = self._snapshot.catalog.segments
        for name in plan.source.segments:
            for field in compile_program(segments[name], segments).fields:
                if field.path == path:
                    for clause in unmatched((each for _, each in field.clauses), held):
                        yield never_matches(".".join(path), held, clause)
