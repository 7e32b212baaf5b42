"""The catalog compiled for speed: immutable, with a revision and a fingerprint."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from allotment.compile import fingerprint
from allotment.compile.experiment import Source, compile_experiment
from allotment.compile.segment import CompiledSegment, Segments
from allotment.kernel.plan import Plan
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.keyed import Keyed


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Plans by experiment and compiled segments by key, of one catalog.

    `fingerprint` is 128 bits over all that steers assignments and resolutions: two snapshots with
    the same one answer every question alike.
    """

    catalog: Catalog
    plans: Keyed[Plan]
    segments: Keyed[CompiledSegment]
    fingerprint: int

    @property
    def revision(self) -> int:
        """The catalog's revision."""
        return self.catalog.revision

    def __reduce__(self) -> tuple[Callable[[Catalog], Snapshot], tuple[Catalog]]:
        # What is compiled holds memory of this process; another compiles it again.
        return compile_catalog, (self.catalog,)

    def failures(self) -> dict[str, str]:
        """The experiments that could not be compiled, each with the reason; they answer FAILED."""
        sources = {key: plan.source for key, plan in self.plans.items()}
        return {key: s.failure for key, s in sources.items() if isinstance(s, Source) and s.failure}


def compile_catalog(catalog: Catalog) -> Snapshot:
    """The snapshot of a whole catalog."""
    return recompile(_NOTHING, catalog, catalog.experiments, catalog.flags)


def compile_experiments(catalog: Catalog, experiments: Iterable[str]) -> Snapshot:
    """The snapshot of a catalog in which no other experiment is known, and no flag.

    To compile all of a large catalog takes seconds.
    """
    return recompile(_NOTHING, catalog, experiments)


def recompile(
    old: Snapshot, catalog: Catalog, experiments: Iterable[str], flags: Iterable[str] = ()
) -> Snapshot:
    """The snapshot of `catalog`, given that of an earlier one.

    `experiments` and `flags` are the keys that were touched in between (`Change.touched`,
    `Change.flags`); only they are compiled, everything else is shared with `old`.
    """
    segments = Segments(old.segments, catalog.segments)
    plans: dict[str, Plan | None] = {}
    total = old.fingerprint
    same_segments = old.catalog.segments is catalog.segments
    for key in experiments:
        if (before := old.plans.get(key)) is not None:
            total -= before.fingerprint
            if same_segments:
                segments.keep(_source(before).used)
        plans[key] = None
        if (experiment := catalog.experiments.get(key)) is not None:
            plans[key] = plan = compile_experiment(experiment, catalog, segments)
            total += plan.fingerprint
    for key in flags:
        for flags_then, sign in ((old.catalog.flags, -1), (catalog.flags, 1)):
            if (flag := flags_then.get(key)) is not None:
                total += sign * fingerprint.of_flag(flag)
    compiled = old.segments.change({**_gone(old, catalog), **segments.fresh})
    return Snapshot(catalog, old.plans.change(plans), compiled, total % fingerprint.MODULUS)


def _gone(old: Snapshot, catalog: Catalog) -> dict[str, None]:
    """The compiled segments whose nouns were deleted; a list in one may hold megabytes."""
    if old.catalog.segments is catalog.segments:
        return {}
    return {key: None for key in old.segments if key not in catalog.segments}


def _source(plan: Plan) -> Source:
    source = plan.source
    assert isinstance(source, Source)
    return source


_NOTHING = Snapshot(EMPTY, Keyed(), Keyed(), 0)
