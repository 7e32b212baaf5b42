"""The sample-ratio check of what was seen: observed counts against the slots of a catalog."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from allotment.errors import did_you_mean
from allotment.frames.observed import Group, Observed
from allotment.frames.ratio import ALARM, Ratio, sample_ratio
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration


class Verdict(StrEnum):
    """What the two tests say together."""

    UNKNOWN = "too few units to tell"
    EXPECTED = "as expected"
    UNLIKELY = "unlikely for one look, as expected for many"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class ObservedRatio:
    """One allocation's observed units.

    experiment  its key
    iteration   its number
    allocation  its key; None for several together, whose shares are the same
    treatments  in the order of the iteration
    ratio       the counts, the buckets and both tests
    several     units that were seen in more than one treatment, which are in none of the counts
    """

    experiment: str
    iteration: int
    allocation: str | None
    treatments: tuple[str, ...]
    ratio: Ratio
    several: int

    @property
    def verdict(self) -> Verdict:
        """What the two tests say together."""
        if self.ratio.anytime is not None and self.ratio.anytime < ALARM:
            return Verdict.OFF
        if self.ratio.p is None:
            return Verdict.UNKNOWN
        return Verdict.UNLIKELY if self.ratio.alarm else Verdict.EXPECTED

    @property
    def is_off(self) -> bool:
        """Whether the counts are too far from the buckets to be chance, however often one looks."""
        return self.verdict is Verdict.OFF

    @property
    def farthest(self) -> tuple[str, float]:
        """The treatment that is farthest from its share, and how far, in standard deviations."""
        pairs = zip(self.treatments, self.ratio.deviations, strict=True)
        return max(pairs, key=lambda pair: abs(pair[1]))


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Counts that could not be checked.

    group  experiment, iteration and allocation; None for what the rows do not say
    units  how many
    why    what keeps them from being checked
    """

    group: Group
    units: int
    why: str


def checks_of(
    catalog: Catalog, observed: Observed, experiments: Sequence[str] = ()
) -> Iterator[ObservedRatio | Unchecked]:
    """The check of each group that was seen of some experiments, or of all where none is named.

    They come in the order of experiments, iterations and allocations.
    """
    groups = {*observed.counts, *observed.several}
    for group in sorted(groups, key=lambda one: tuple((each is not None, each) for each in one)):
        if experiments and group.experiment not in experiments:
            continue
        counts, several = observed.counts.get(group, {}), observed.several.get(group, 0)
        found = _find(catalog, group, counts)
        if isinstance(found, str):
            yield Unchecked(group, sum(counts.values()) + several, found)
        else:
            yield _check(group.experiment, *found, counts, several)


def _find(
    catalog: Catalog, group: Group, seen: Iterable[str]
) -> tuple[Iteration, Allocation, str | None] | str:
    """The allocation that a group is held against and the name to show, or why there is none."""
    experiment = catalog.experiments.get(group.experiment)
    if experiment is None:
        return "the catalog has no such experiment"
    iteration = _iteration(experiment, group.iteration)
    if iteration is None:
        return "the experiment has no such iteration"
    known = [treatment.key for treatment in iteration.treatments]
    for key in seen:
        if key not in known:
            return f"the iteration has no treatment {key!r}{did_you_mean(key, known)}"
    if group.allocation is not None:
        for allocation in iteration.allocations:
            if allocation.key == group.allocation:
                return iteration, allocation, allocation.key
        return "the iteration has no such allocation"
    if not iteration.allocations:
        return "the iteration has no allocation"
    first, *others = iteration.allocations
    if any(_owned(other) != _owned(first) for other in others):
        return (
            "its allocations have different weights: the rows need a column 'allocation', or only "
            "the units of one of them"
        )
    return iteration, first, None if others else first.key


def _iteration(experiment: Experiment, number: int | None) -> Iteration | None:
    if number is None:
        return experiment.current
    return next((each for each in experiment.iterations if each.number == number), None)


def _owned(allocation: Allocation) -> dict[str, int]:
    """Treatment to the buckets that it owns."""
    owned: dict[str, int] = {}
    for slot in allocation.slots:
        owned[slot.owner] = owned.get(slot.owner, 0) + slot.stop - slot.start
    return owned


def _check(  # noqa: PLR0913, PLR0917  # what was found, and what was seen
    experiment: str,
    iteration: Iteration,
    allocation: Allocation,
    shown: str | None,
    counts: Mapping[str, int],
    several: int,
) -> ObservedRatio:
    treatments = tuple(treatment.key for treatment in iteration.treatments)
    owned = _owned(allocation)
    ratio = sample_ratio(
        [counts.get(key, 0) for key in treatments], [owned.get(key, 0) for key in treatments]
    )
    return ObservedRatio(experiment, iteration.number, shown, treatments, ratio, several)
