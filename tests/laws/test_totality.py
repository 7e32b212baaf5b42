"""Every bucket of every stage has exactly the outcome that its owner says, over all of them."""

from __future__ import annotations

from itertools import chain
from random import Random

import numpy as np
import numpy.typing as npt

from allotment.compile import Snapshot, compile_catalog
from allotment.compile.experiment import Source
from allotment.kernel.sweep import sweep
from allotment.model.assignment import REASONS, Reason
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment, State
from allotment.model.flag import FlagState
from allotment.model.limits import BUCKETS
from allotment.model.slots import Range
from laws.buckets import ALL, FIRST, LAST, Buckets, Codes, Reasons
from laws.catalogs import Maker

Members = dict[str | None, bool]

SHUFFLED = [np.random.default_rng(stage).permutation(ALL) for stage in range(4)]


def _owned(experiment: Experiment, allocation: Allocation) -> Codes:
    """The treatment's index, bucket by bucket; -1 in a gap."""
    names = [treatment.key for treatment in experiment.current.treatments]
    owners = np.full(BUCKETS, -1, np.int16)
    for start, stop, owner in allocation.slots:
        owners[start:stop] = names.index(owner)
    return owners


def _admitted(catalog: Catalog, experiment: Experiment) -> npt.NDArray[np.bool_]:
    """Whether the layer, or the sample that is the audience, lets a bucket in."""
    audience = catalog.segments.get(experiment.current.audience or "")
    if experiment.layer is not None:
        reservations = catalog.layers[experiment.layer].reservations
        ranges = [r.ranges for r in reservations if r.experiment == experiment.key]
    elif audience is not None and audience.sample is not None:
        ranges = [audience.sample.ranges]
    else:
        ranges = [(Range(0, BUCKETS),)]
    admitted = np.zeros(BUCKETS, np.bool_)
    for start, stop in chain(*ranges):
        admitted[start:stop] = True
    return admitted


def _expected(
    catalog: Catalog, experiment: Experiment, buckets: Buckets, members: Members
) -> tuple[Codes, Reasons]:
    """The order of checks over arrays, from the last to the first; nothing is kept."""
    iteration = experiment.current
    codes = np.full(BUCKETS, -1, np.int16)
    reasons = np.full(BUCKETS, REASONS.index(Reason.NO_MATCH), np.uint8)

    def decide(where: npt.NDArray[np.bool_] | slice, reason: Reason) -> None:
        codes[where] = -1
        reasons[where] = REASONS.index(reason)

    everywhere = slice(None)
    ordered = sorted(iteration.allocations, key=lambda each: (each.fallback, each.priority))
    chosen = next((each for each in ordered if members[each.segment]), None)
    if chosen is not None:
        decide(everywhere, Reason.FALLBACK if chosen.fallback else Reason.ALLOCATED)
        codes[:] = _owned(experiment, chosen)[buckets[3]]
        decide(codes < 0, Reason.NOT_ALLOCATED)
    decide(buckets[2] >= iteration.enrolment_ppm, Reason.NOT_ENROLLED)
    if not members[iteration.audience]:
        decide(everywhere, Reason.NOT_IN_AUDIENCE)
    if not experiment.intake_open:
        decide(everywhere, Reason.INTAKE_CLOSED)
    if iteration.state is State.PAUSED:
        decide(everywhere, Reason.PAUSED)
    decide(~_admitted(catalog, experiment)[buckets[1]], Reason.NOT_IN_LAYER)
    if experiment.holdout is not None:
        decide(buckets[0] < catalog.holdouts[experiment.holdout].share_ppm, Reason.HELD_OUT)
    flags = {flag for treatment in iteration.treatments for flag, _ in treatment.sets}
    is_on = all(catalog.flags[flag].state is FlagState.ON for flag in flags)
    if experiment.archived or experiment.live is None or not is_on:
        decide(everywhere, Reason.INACTIVE)
    return codes, reasons


def _check(snapshot: Snapshot, experiment: Experiment, rng: np.random.Generator) -> set[Reason]:
    """Each row of draws visits every bucket of its stage once, all at one edge of the bucket."""
    plan = snapshot.plans[experiment.key]
    needed = [each.segment for each in experiment.current.allocations]
    members: Members = {
        key: bool(rng.random() < 0.7) for key in (*needed, experiment.current.audience)
    }
    members[None] = True
    buckets = np.array([np.roll(each, rng.integers(BUCKETS)) for each in SHUFFLED])
    draws = np.array([(FIRST, LAST)[rng.integers(2)][each] for each in buckets])
    assert isinstance(plan.source, Source)
    held = [members[key] for key in plan.source.segments]
    codes, reasons = sweep(plan, draws, held)
    expected_codes, expected_reasons = _expected(snapshot.catalog, experiment, buckets, members)
    assert np.array_equal(reasons, expected_reasons)
    assert np.array_equal(codes, expected_codes)
    return {REASONS[code] for code in np.unique(reasons)}


def test_every_bucket_has_the_outcome_that_its_owner_says() -> None:
    seen: set[Reason] = set()
    rng = np.random.default_rng(1)
    for seed in range(20):
        catalog = Maker(Random(seed), is_native=True).catalog()
        snapshot = compile_catalog(catalog)
        for experiment in catalog.experiments.values():
            seen |= _check(snapshot, experiment, rng)
    never = {Reason.UNKNOWN_EXPERIMENT, Reason.NO_UNIT, Reason.OVERRIDE, Reason.STICKY}
    assert seen == set(REASONS) - never - {Reason.FAILED}
