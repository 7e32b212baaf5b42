"""What keeps an iteration from running. Starting and resuming ask here, and so does every API that
says whether an experiment is valid; each rule is written once.

As in `lifecycle`, letters say which policies have a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from allotment.change.kinds import iteration_path, noun_path
from allotment.change.lifecycle import Event, Policy, is_among, permit, status
from allotment.change.proposal import Proposal
from allotment.change.references import FLOWING, flags_set, flows, has_flow, was_edited
from allotment.errors import InvalidChange
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State
from allotment.model.flag import Flag, FlagState
from allotment.model.layer import Layer
from allotment.model.text import is_blank


class ObstacleCode(StrEnum):
    """The kinds of obstacle."""

    NO_TREATMENT = "no_treatment"
    NO_ALLOCATION = "no_allocation"
    WEIGHTS = "weights"  # above their total or, where a policy minds, below
    NO_WEIGHT = "no_weight"
    FLAG_NOT_ON = "flag_not_on"
    FOREIGN_VARIATION = "foreign_variation"  # it sets nothing, or what its flag does not have
    NO_CONTROL = "no_control"
    NO_FALLBACK = "no_fallback"
    NOT_RESHUFFLED = "not_reshuffled"
    NO_RESERVATION = "no_reservation"
    ACTIVE_LIMIT = "active_limit"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing to fix before the iteration can run: what, in a sentence, and where."""

    code: ObstacleCode
    message: str
    path: str


@dataclass(frozen=True, slots=True)
class _Case:
    """What the rules look at: the iteration that would run, and what there is around it.

    `flag_of` and `layer_of` find a flag and a layer; `flowing` gives the running experiments that
    have a flow.
    """

    experiment: Experiment
    iteration: Iteration
    path: str
    flag_of: Callable[[str], Flag | None]
    layer_of: Callable[[str], Layer | None]
    flowing: Callable[[], Iterable[str]]


def obstacles(policy: Policy, experiment: Experiment, catalog: Catalog) -> tuple[Obstacle, ...]:
    """Everything that the policy wants fixed before the experiment's draft may start.

    Without a draft it is about the current iteration: what keeps a paused one from resuming, or
    would have kept a running one from starting.
    """
    iteration = experiment.draft or experiment.current
    path = iteration_path(experiment, iteration)
    case = _Case(
        experiment,
        iteration,
        path,
        catalog.flags.get,
        catalog.layers.get,
        lambda: catalog.users.get(FLOWING, frozenset()),
    )
    return tuple(_found(policy, case))


def may_start(proposal: Proposal, experiment: Experiment, justification: str) -> Iteration:
    """The draft that may run now; raises InvalidChange where the policy needs more to start it."""
    path = noun_path("experiment", experiment.key)
    over = experiment.live is not None
    permit(proposal.policy, Event.START_OVER if over else Event.START, status(experiment), path)
    draft = experiment.draft
    if draft is None:
        message = "there is no draft to start; draft an iteration first"
        raise InvalidChange(message, path, code="no_draft")
    if over and is_among(proposal.policy, _NEEDS_JUSTIFICATION) and is_blank(justification):
        message = "starting over ends the iteration that runs; say why in a justification"
        raise InvalidChange(message, path, code="no_justification")
    _refuse_first(proposal, experiment, draft)
    return draft


def may_resume(proposal: Proposal, experiment: Experiment) -> None:
    """Raise InvalidChange if the paused iteration cannot resume, perhaps because of an edit."""
    path = noun_path("experiment", experiment.key)
    permit(proposal.policy, Event.RESUME, status(experiment), path)
    _refuse_first(proposal, experiment, experiment.current)


def _refuse_first(proposal: Proposal, experiment: Experiment, iteration: Iteration) -> None:
    def flag_of(key: str) -> Flag | None:
        flag = proposal.find("flag", key)
        return flag if isinstance(flag, Flag) else None

    def layer_of(key: str) -> Layer | None:
        layer = proposal.find("layer", key)
        return layer if isinstance(layer, Layer) else None

    def flowing() -> Iterable[str]:
        changed = {key: noun for (kind, key), noun in proposal.changed.items() if kind == _KIND}
        yield from proposal.catalog.users.get(FLOWING, frozenset()) - changed.keys()
        yield from (
            key for key, noun in changed.items() if isinstance(noun, Experiment) and flows(noun)
        )

    path = iteration_path(experiment, iteration)
    case = _Case(experiment, iteration, path, flag_of, layer_of, flowing)
    for obstacle in _found(proposal.policy, case):
        raise InvalidChange(obstacle.message, obstacle.path, code=obstacle.code)


def _found(policy: Policy, case: _Case) -> Iterator[Obstacle]:
    # An API can resume what it paused, even where it would refuse a new start: another API may have
    # set weights that it could not. Edits through the API itself are checked.
    unedited = case.iteration.state is State.PAUSED and not was_edited(case.experiment)
    for letters, again, rule in _RULES:
        if is_among(policy, letters) and (again or not unedited):
            yield from rule(case)


def _is_empty(case: _Case) -> Iterator[Obstacle]:
    if not case.iteration.treatments:
        message = "there is no treatment; add one to start"
        yield Obstacle(ObstacleCode.NO_TREATMENT, message, f"{case.path}.treatments")
    if not case.iteration.allocations:
        message = "there is no allocation; add one to start"
        yield Obstacle(ObstacleCode.NO_ALLOCATION, message, f"{case.path}.allocations")


def _is_over(case: _Case) -> Iterator[Obstacle]:
    yield from _sums(case, lambda parts, total: parts > total)


def _is_under(case: _Case) -> Iterator[Obstacle]:
    yield from _sums(case, lambda parts, total: parts < total)


def _sums(case: _Case, is_wrong: Callable[[int, int], bool]) -> Iterator[Obstacle]:
    for index, allocation in enumerate(case.iteration.allocations):
        parts = _parts(allocation)
        if is_wrong(parts, allocation.total):
            yield Obstacle(
                ObstacleCode.WEIGHTS,
                f"the weights sum to {parts:,}, not to {allocation.total:,}",
                f"{case.path}.allocations[{index}].weights",
            )


def _parts(allocation: Allocation) -> int:
    return sum(part for _, part in allocation.weights)


def _has_no_weight(case: _Case) -> Iterator[Obstacle]:
    allocations = case.iteration.allocations
    if allocations and not any(map(_parts, allocations)):
        message = "no treatment has a weight; give one more than 0 to start"
        yield Obstacle(ObstacleCode.NO_WEIGHT, message, f"{case.path}.allocations")


def _flags_are_off(case: _Case) -> Iterator[Obstacle]:
    for key in sorted(flags_set(case.iteration)):
        flag = case.flag_of(key)
        if flag is None or flag.state is FlagState.OFF:
            message = f"flag {key!r} is not on; turn it on to start"
            yield Obstacle(ObstacleCode.FLAG_NOT_ON, message, case.path)


def _flags_are_archived(case: _Case) -> Iterator[Obstacle]:
    for key in sorted(flags_set(case.iteration)):
        flag = case.flag_of(key)
        if flag is not None and flag.state is FlagState.ARCHIVED:
            message = f"flag {key!r} is archived, which is final; set another to start"
            yield Obstacle(ObstacleCode.FLAG_NOT_ON, message, case.path)


def _sets_foreign(case: _Case) -> Iterator[Obstacle]:
    for treatment in case.iteration.treatments:
        path = f"{case.path}.treatments.{treatment.key}.sets"
        if not treatment.sets:
            message = f"treatment {treatment.key!r} sets no variation; name one to start"
            yield Obstacle(ObstacleCode.FOREIGN_VARIATION, message, path)
        for key, variation in treatment.sets:
            flag = case.flag_of(key)
            if flag is None or variation not in [one.key for one in flag.variations]:
                message = f"flag {key!r} has no variation {variation!r}"
                yield Obstacle(ObstacleCode.FOREIGN_VARIATION, message, f"{path}.{key}")


def _has_no_control(case: _Case) -> Iterator[Obstacle]:
    if case.iteration.control is None:
        message = "no treatment is the control; name one to start"
        yield Obstacle(ObstacleCode.NO_CONTROL, message, f"{case.path}.treatments")


def _has_no_fallback(case: _Case) -> Iterator[Obstacle]:
    allocations = case.iteration.allocations
    by_segment = any(allocation.segment for allocation in allocations)
    if by_segment and not any(allocation.fallback for allocation in allocations):
        message = "allocations by segment need a fallback to start"
        yield Obstacle(ObstacleCode.NO_FALLBACK, message, f"{case.path}.allocations")


def _keeps_the_salt(case: _Case) -> Iterator[Obstacle]:
    again = case.experiment.live is None and case.iteration is not case.experiment.iterations[0]
    if again and not case.iteration.reshuffle:
        message = "starting again after a stop reshuffles; draft it so"
        yield Obstacle(ObstacleCode.NOT_RESHUFFLED, message, f"{case.path}.reshuffle")


def _reserves_nothing(case: _Case) -> Iterator[Obstacle]:
    layer = case.layer_of(case.experiment.layer) if case.experiment.layer else None
    for reservation in layer.reservations if layer else ():
        if reservation.experiment == case.experiment.key and not reservation.ranges:
            message = f"nothing of layer {case.experiment.layer!r} is reserved for it; reserve some"
            yield Obstacle(ObstacleCode.NO_RESERVATION, message, f"{case.path}.layer")


def _is_not_alone(case: _Case) -> Iterator[Obstacle]:
    if not has_flow(case.experiment):
        return
    for other in sorted(set(case.flowing()) - {case.experiment.key}):
        message = f"experiment {other!r} is active, and only one may be; pause or complete it first"
        yield Obstacle(ObstacleCode.ACTIVE_LIMIT, message, case.path)


_KIND: Final = "experiment"
_NEEDS_JUSTIFICATION: Final = "nl"  # starting over

_Rule: TypeAlias = Callable[[_Case], Iterator[Obstacle]]

# What is unfinished starts nowhere. Auth0 wants weights that sum to the total, a control, a
# variation for each treatment, a fallback beside segments, and only one experiment with a flow.
# LaunchDarkly reshuffles on stop and start, and lets nothing be reserved of a layer until then.
# The second column tells which are asked of a paused iteration again.
_RULES: Final[tuple[tuple[str, bool, _Rule], ...]] = (
    ("nalc", True, _is_empty),
    ("nalc", True, _is_over),
    ("alc", False, _has_no_weight),
    ("al", True, _flags_are_off),
    ("nalc", True, _flags_are_archived),
    ("a", False, _sets_foreign),
    ("a", False, _has_no_control),
    ("a", False, _is_under),
    ("a", False, _has_no_fallback),
    ("l", False, _keeps_the_salt),
    ("l", False, _reserves_nothing),
    ("a", True, _is_not_alone),
)
