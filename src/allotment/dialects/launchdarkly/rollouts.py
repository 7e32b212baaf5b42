"""How LaunchDarkly's own SDKs deal an experiment: by a seed, a rollout, and sums of floats.

A new iteration that follows them draws by a seed, as one of theirs does. Its rollout is shown where
the flag's fallthrough is, as long as one rollout says all that decides here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic import Field

from allotment.dialects.launchdarkly.codes import invalid
from allotment.dialects.launchdarkly.ids import index_of
from allotment.dialects.wire.model import LEFT_OUT, Maybe, Model
from allotment.dialects.wire.operation import Call
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State
from allotment.model.flag import Flag, FlagExperiment, FlagState, Miss
from allotment.model.limits import BUCKETS
from allotment.model.profile import NATIVE, PROFILES, Draw
from allotment.model.slots import Slot

PROFILE: Final = "launchdarkly-1"
SALT_BYTES: Final = 12

# Weights are thousandths of a percent.
_PARTS: Final = 100_000
_LAST: Final = PROFILES[PROFILE].count(1)
# A seed is 1 or more, and no more than 31 bits: one of the SDKs takes 0 for none.
_SEED: Final = re.compile(r"0|-?[1-9][0-9]{0,14}")
_SEED_BYTES: Final = 8
_SEEDS: Final = 2**31 - 1
# Where units stay, bounds are sums of differences, and floats round: by fewer buckets of 2^60.
_ROUNDING: Final = 1_024


class LDWeighted(Model):
    """A variation, and its weight in thousandths of a percent."""

    variation: int
    weight: int
    untracked: bool = Field(alias="_untracked")


class LDExperimentAllocation(Model):
    """What units outside the experiment get, and whether a new iteration may move units."""

    defaultVariation: int
    canReshuffle: bool


class LDRollout(Model):
    """What deals the variations of a flag: the experiment that runs on it."""

    variations: list[LDWeighted]
    experimentAllocation: LDExperimentAllocation
    seed: int
    contextKind: str


class LDFallthrough(Model):
    """What is served where no rule decides: a variation, or what a rollout deals."""

    variation: Maybe[int] = LEFT_OUT
    rollout: Maybe[LDRollout] = LEFT_OUT


def new_draw(call: Call[Any]) -> Draw:
    """What a new iteration is dealt by."""
    if call.account is None:
        return Draw(NATIVE, call.fresh(SALT_BYTES))
    return Draw(PROFILE, str(1 + int(call.fresh(_SEED_BYTES), 16) % _SEEDS))


def check_shares(profile: str, allocations: Sequence[Allocation]) -> None:
    """Raise the 400 for a percentage that the vendor's SDKs cannot be told."""
    for allocation in allocations if profile == PROFILE else ():
        for treatment, part in allocation.weights:
            if part * _PARTS % allocation.total:
                raise invalid(
                    "LaunchDarkly's SDKs have weights in thousandths of a percent; give the "
                    f"allocationPercent of {treatment} at most three decimals",
                    "$",
                )


def show_fallthrough(flag: Flag, catalog: Catalog) -> LDFallthrough:
    """The rollout of the experiment that runs on the flag, else the flag's default."""
    rollout = _rollout(flag, catalog)
    if rollout is not None:
        return LDFallthrough(rollout=rollout)
    return LDFallthrough(variation=index_of(flag, flag.default))


def _rollout(flag: Flag, catalog: Catalog) -> LDRollout | None:
    """None where no experiment runs on the flag, or no rollout says all that decides."""
    for place in flag.experiments:
        experiment = catalog.experiments[place.experiment]
        if place.otherwise is None:
            return None
        if experiment.live is not None and not experiment.archived:
            return _rollout_of(experiment, experiment.live, place, flag, catalog)
    return None


def _rollout_of(
    experiment: Experiment, live: Iteration, place: FlagExperiment, flag: Flag, catalog: Catalog
) -> LDRollout | None:
    if not (_is_plain(experiment, live) and place.miss is Miss.STOP):
        return None
    gives = {one.key: dict(one.sets).get(flag.key) for one in live.treatments}
    others = {key for one in live.treatments for key, _ in one.sets} - {flag.key}
    if None in gives.values() or not _SEED.fullmatch(live.salt):
        return None
    if any(catalog.flags[key].state is not FlagState.ON for key in others):
        return None
    assert place.otherwise is not None, "its callers have seen to it"
    outside = index_of(flag, place.otherwise)
    slices = []
    for owner, weight in _weights(live.allocations[0].slots):
        variation = gives.get(owner)
        index = outside if variation is None else index_of(flag, variation)
        slices.append(LDWeighted(variation=index, weight=weight, _untracked=variation is None))
    return LDRollout(
        variations=slices,
        experimentAllocation=LDExperimentAllocation(
            defaultVariation=outside, canReshuffle=live.reshuffle
        ),
        seed=int(live.salt),
        contextKind=experiment.unit,
    )


def _is_plain(experiment: Experiment, live: Iteration) -> bool:
    """Whether nothing decides but the draw of the treatments."""
    everyone = len(live.allocations) == 1 and live.allocations[0].segment is None
    kept_out = experiment.layer, experiment.holdout, live.audience
    return (
        everyone
        and live.state is State.RUNNING
        and live.profile == PROFILE
        and live.enrolment_ppm == BUCKETS
        and kept_out == (None, None, None)
        and not experiment.overrides
        and not experiment.keeps_assignments
        and experiment.intake_open
        and [*_weights(live.allocations[0].slots)] != []
    )


def _weights(slots: Sequence[Slot]) -> list[tuple[str, int]]:
    """Each part of the line with its weight, "" for a gap; none where weights do not say them."""
    profile, found, running = PROFILES[PROFILE], [], 0.0
    for stop, owner in _line(slots):
        weight = round((stop / _LAST - running) * _PARTS)
        running += weight / _PARTS
        if stop < _LAST and abs(profile.edge(running, 1.0) - stop) > _ROUNDING:
            return []
        found.append((owner, weight))
    return found


def _line(slots: Sequence[Slot]) -> Iterator[tuple[int, str]]:
    """Where each part of the line of buckets ends, and whose it is."""
    edge = 0
    for slot in slots:
        if edge < slot.start:
            yield slot.start, ""
        yield slot.stop, slot.owner
        edge = slot.stop
    if edge < _LAST:
        yield _LAST, ""
