"""One experiment, one unit: the checks in their order, the first that decides wins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from allotment.matching.member import Members
from allotment.model.assignment import Assignment, Reason
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.flag import FlagState
from allotment.model.limits import BUCKETS
from allotment.model.profile import NATIVE, PROFILES, Draw
from allotment.model.segment import Sample
from allotment.model.slots import Range
from allotment.model.stage import (
    enrolment_draw,
    holdout_draw,
    layer_draw,
    profile_of,
    treatment_draw,
)
from allotment.reference.profile import bucket, number
from allotment.reference.unit import unit_key

Outcome: TypeAlias = tuple[Reason, Treatment | None]


class CheckMade(NamedTuple):
    """One check that was made.

    name     the function below that made it
    draw     the number that the profile makes a bucket of, where it draws
    bucket   the bucket, where it draws: natively floor(draw * 1,000,000 / 2^64)
    bound    what the bucket was held against
    outcome  the reason and the treatment if it decided, else None
    """

    name: str
    draw: int | None = None
    bucket: int | None = None
    bound: object = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """What the checks look at; `iteration` is the experiment's current one."""

    catalog: Catalog
    experiment: Experiment
    iteration: Iteration
    unit: str
    members: Members
    stored: Sequence[str]


def assign(
    catalog: Catalog,
    experiment: str,
    unit: object,
    attributes: Mapping[str, object] | None = None,
    stored: str | Sequence[str] | None = None,
) -> Assignment:
    """What a unit gets in an experiment. `stored` has the treatments that were kept for it, by key,
    in the order of keeping; one alone may stand as text."""
    return explain(catalog, experiment, unit, attributes, stored)[0]


def explain(
    catalog: Catalog,
    experiment: str,
    unit: object,
    attributes: Mapping[str, object] | None = None,
    stored: str | Sequence[str] | None = None,
) -> tuple[Assignment, list[CheckMade]]:
    """The assignment, and every check up to the one that decided."""
    noun = catalog.experiments.get(experiment)
    if noun is None:
        decided = CheckMade("is_known", outcome=(Reason.UNKNOWN_EXPERIMENT, None))
        return Assignment(experiment, None, Reason.UNKNOWN_EXPERIMENT, {}, False, 0, 0), [decided]
    key = unit_key(unit, noun.unit)
    if key is None:
        decided = CheckMade("has_unit", outcome=(Reason.NO_UNIT, None))
        return _answer(catalog, noun, Reason.NO_UNIT, None), [decided]
    known = None if attributes is None else dict(attributes)
    members = Members(catalog.segments, key, known)
    kept = (stored,) if isinstance(stored, str) else stored or ()
    case = Case(catalog, noun, noun.current, key, members, kept)
    made: list[CheckMade] = []
    for check in CHECKS:
        made.append(check(case))
        outcome = made[-1].outcome
        if outcome is not None:
            return _answer(catalog, noun, *outcome), made
    raise AssertionError("the last check always decides")


def _answer(
    catalog: Catalog, experiment: Experiment, reason: Reason, treatment: Treatment | None
) -> Assignment:
    iteration = experiment.current
    return Assignment(
        experiment=experiment.key,
        treatment=treatment.key if treatment else None,
        reason=reason,
        variations=dict(treatment.sets) if treatment else {},
        is_control=treatment is not None and treatment.key == iteration.control,
        iteration=iteration.number,
        revision=catalog.revision,
        to_keep=experiment.keeps_assignments and reason in (Reason.ALLOCATED, Reason.FALLBACK),
    )


def override(case: Case) -> CheckMade:
    """Check 3: a unit with an override gets it, unless the experiment is archived."""
    name = "override"
    if case.experiment.archived:
        return CheckMade(name)
    treatment = _treatment(case, dict(case.experiment.overrides).get(case.unit))
    return CheckMade(name, outcome=(Reason.OVERRIDE, treatment) if treatment else None)


def active(case: Case) -> CheckMade:
    """Check 4: an iteration runs or is paused, and every flag that its treatments set is on."""
    is_active = is_live(case.experiment, case.catalog)
    return CheckMade("active", outcome=None if is_active else (Reason.INACTIVE, None))


def is_live(experiment: Experiment, catalog: Catalog) -> bool:
    """Whether the experiment gives anyone anything now but by override."""
    sets = {flag for treatment in experiment.current.treatments for flag, _ in treatment.sets}
    return (
        not experiment.archived
        and experiment.live is not None
        and all(catalog.flags[flag].state is FlagState.ON for flag in sets)
    )


def holdout(case: Case) -> CheckMade:
    """Check 5: the holdout's bucket is below its share."""
    name = "holdout"
    if case.experiment.holdout is None:
        return CheckMade(name)
    noun = case.catalog.holdouts[case.experiment.holdout]
    drawn, place = _draw(holdout_draw(noun), case.unit)
    bound = profile_of(noun).bound(noun.share_ppm)
    outcome = (Reason.HELD_OUT, None) if place < bound else None
    return CheckMade(name, drawn, place, bound, outcome)


def layer(case: Case) -> CheckMade:
    """Check 6: another of the layer's experiments overrides the unit, or the bucket is not ours.

    The sample that is an experiment's audience is its layer, or has a draw of its own.
    """
    name = "layer"
    if case.experiment.layer is None:
        return sample(case)
    noun = case.catalog.layers[case.experiment.layer]
    drawn = _draw(layer_draw(noun), case.unit)
    ours = [r.ranges for r in noun.reservations if r.experiment == case.experiment.key]
    others = [
        other
        for other in case.catalog.experiments.values()
        if other.layer == noun.key or getattr(_sample(case, other), "layer", None) == noun.key
    ]
    return _within(name, case, drawn, [edges for ranges in ours for edges in ranges], others)


def sample(case: Case) -> CheckMade:
    """The same of an experiment without a layer: the audience's sample, if it is one."""
    name = "layer"
    mine = _sample(case, case.experiment)
    if mine is None:
        return CheckMade(name)
    if mine.layer is None:
        own = Draw(NATIVE, f"segment/{case.iteration.audience}/sample")
        drawn = _draw(own, case.unit)
        return _within(name, case, drawn, mine.ranges, [])
    drawn = _draw(layer_draw(case.catalog.layers[mine.layer]), case.unit)
    others = [
        other
        for other in case.catalog.experiments.values()
        if other.layer == mine.layer or _exclude(mine, _sample(case, other))
    ]
    return _within(name, case, drawn, mine.ranges, others)


def _within(
    name: str,
    case: Case,
    drawn: tuple[int, int],
    ours: Sequence[Range],
    others: Sequence[Experiment],
) -> CheckMade:
    number, place = drawn
    is_claimed = any(
        case.unit == unit
        for other in others
        if other.key != case.experiment.key
        if other.unit == case.experiment.unit and not other.archived
        for unit, _ in other.overrides
    )
    is_ours = any(start <= place < stop for start, stop in ours)
    outcome = None if is_ours and not is_claimed else (Reason.NOT_IN_LAYER, None)
    return CheckMade(name, number, place, "claimed" if is_claimed else ours, outcome)


def _draw(by: Draw, unit: str, total: int = 1) -> tuple[int, int]:
    """The number that a stage draws, and the bucket of it."""
    profile = PROFILES[by.profile]
    return number(profile, by.salt, unit), bucket(profile, by.salt, unit, total)


def _sample(case: Case, experiment: Experiment) -> Sample | None:
    """The sample that is the audience of an experiment, if it is one; an archived one may have
    outlived its audience."""
    audience = case.catalog.segments.get(experiment.current.audience or "")
    return None if audience is None else audience.sample


def _exclude(mine: Sample, theirs: Sample | None) -> bool:
    """Whether one names a tag of the other, in one layer; a sample does not exclude itself."""
    if theirs is None or theirs is mine or theirs.layer != mine.layer:
        return False
    named = {(a, b) for a in mine.exclusive_to for b in theirs.tags if a == b}
    return bool(named) or any(tag in mine.tags for tag in theirs.exclusive_to)


def sticky(case: Case) -> CheckMade:
    """Check 7: a sticky assignment, where the experiment keeps them and still wants the unit. The
    first that the iteration has counts."""
    kept = next((t for key in case.stored if (t := _treatment(case, key))), None)
    applies = case.experiment.keeps_assignments and (
        case.experiment.ignore_targeting or _in_audience(case)
    )
    return CheckMade("sticky", outcome=(Reason.STICKY, kept) if kept and applies else None)


def intake(case: Case) -> CheckMade:
    """Check 8: the iteration is paused, or takes in no new units."""
    if case.iteration.state is State.PAUSED:
        return CheckMade("intake", outcome=(Reason.PAUSED, None))
    outcome = None if case.experiment.intake_open else (Reason.INTAKE_CLOSED, None)
    return CheckMade("intake", outcome=outcome)


def audience(case: Case) -> CheckMade:
    """Check 9: the audience segment does not match."""
    outcome = None if _in_audience(case) else (Reason.NOT_IN_AUDIENCE, None)
    return CheckMade("audience", bound=case.iteration.audience, outcome=outcome)


def enrolment(case: Case) -> CheckMade:
    """Check 10: the enrolment bucket is at or above the enrolment share."""
    share = case.iteration.enrolment_ppm
    if share == BUCKETS:
        return CheckMade("enrolment", bound=share)
    by = enrolment_draw(case.iteration)
    drawn, place = _draw(by, case.unit)
    bound = profile_of(by).bound(share)
    outcome = None if place < bound else (Reason.NOT_ENROLLED, None)
    return CheckMade("enrolment", drawn, place, bound, outcome)


def allocations(case: Case) -> CheckMade:
    """Check 11: the first allocation by priority whose segment matches decides."""
    ordered = sorted(case.iteration.allocations, key=lambda allocation: allocation.priority)
    for allocation in ordered:
        if allocation.fallback:
            continue
        if allocation.segment is None or case.members.has(allocation.segment):
            return _dealt("allocations", case, allocation, Reason.ALLOCATED)
    return CheckMade("allocations")


def fallback(case: Case) -> CheckMade:
    """Check 12: nothing matched, so the fallback allocation decides, if there is one."""
    for allocation in case.iteration.allocations:
        if allocation.fallback:
            return _dealt("fallback", case, allocation, Reason.FALLBACK)
    return CheckMade("fallback", outcome=(Reason.NO_MATCH, None))


Checks: TypeAlias = tuple[Callable[[Case], CheckMade], ...]

# Checks 1 and 2 are made before there is a case to look at.
CHECKS: Final[Checks] = (
    override,
    active,
    holdout,
    layer,
    sticky,
    intake,
    audience,
    enrolment,
    allocations,
    fallback,
)


def _in_audience(case: Case) -> bool:
    return case.iteration.audience is None or case.members.has(case.iteration.audience)


def _treatment(case: Case, key: str | None) -> Treatment | None:
    """The treatment of that key in the current iteration, which may no longer have it."""
    return next((each for each in case.iteration.treatments if each.key == key), None)


def _dealt(name: str, case: Case, allocation: Allocation, reason: Reason) -> CheckMade:
    """The treatment whose slots own the treatment bucket; NOT_ALLOCATED in a gap."""
    drawn, place = _draw(treatment_draw(case.iteration), case.unit, allocation.total)
    slots = allocation.slots
    owner = next((slot.owner for slot in slots if slot.start <= place < slot.stop), None)
    treatment = _treatment(case, owner)
    outcome = (Reason.NOT_ALLOCATED, None) if treatment is None else (reason, treatment)
    return CheckMade(name, drawn, place, slots, outcome)
