"""Edits of one iteration: its treatments, allocations, audience and enrolment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from allotment.change import lifecycle
from allotment.change.commands import (
    DraftIteration,
    SetAllocations,
    SetAudience,
    SetEnrolment,
    SetTreatments,
    SetWeights,
)
from allotment.change.defaults import (
    in_order,
    known_slots,
    lay_allocation,
    lay_treatments,
    order_of,
    with_salt,
    with_slots,
)
from allotment.change.fields import replaced
from allotment.change.kinds import iteration_path, noun_path
from allotment.change.lifecycle import Event, Status
from allotment.change.proposal import Proposal
from allotment.errors import NotFound
from allotment.model.experiment import Allocation, Experiment, Iteration, State


def _draft(command: DraftIteration, proposal: Proposal) -> None:
    experiment = proposal.get(Experiment, command.experiment)
    path = noun_path("experiment", experiment.key)
    draft = experiment.draft
    earlier = experiment.iterations[:-1] if draft else experiment.iterations
    here = f"{path}.iterations[{len(earlier) - 1}]" if experiment.live else path
    before = earlier[-1] if earlier else None
    number = draft.number if draft else experiment.iterations[-1].number + 1
    new = replaced(
        command.iteration, number=number, state=State.DRAFT, started_at=None, ended_at=None
    )
    salted = with_salt(experiment.key, new, None, before)
    new = with_slots([*earlier, salted], None, here)
    if new == draft:
        return
    at = lifecycle.iteration_status(experiment, before) if before else Status.DRAFT
    at = Status.ARCHIVED if experiment.archived else at
    event = Event.RESHUFFLE if new.reshuffle else Event.CARRY_OVER
    lifecycle.permit(proposal.policy, event, at, path)
    proposal.put(replaced(experiment, iterations=(*earlier, new)))


def _set_treatments(command: SetTreatments, proposal: Proposal) -> None:
    experiment, old = _find(command.experiment, command.iteration, proposal)
    treatments = lay_treatments(command.treatments)
    order = order_of(treatments)
    new = replaced(
        old,
        treatments=treatments,
        control=command.control,
        allocations=tuple(in_order(allocation, order) for allocation in old.allocations),
    )
    _put(experiment, old, new, Event.TREATMENTS, proposal)


def _set_allocations(command: SetAllocations, proposal: Proposal) -> None:
    experiment, old = _find(command.experiment, command.iteration, proposal)
    path = iteration_path(experiment, old)
    asked = replaced(old, allocations=command.allocations)
    new = with_slots(_up_to(asked, experiment), _committed(experiment, proposal), path)
    _put(experiment, old, new, Event.ALLOCATIONS, proposal)


def _set_weights(command: SetWeights, proposal: Proposal) -> None:
    experiment, old = _find(command.experiment, command.iteration, proposal)
    path = iteration_path(experiment, old)
    keys = [allocation.key for allocation in old.allocations]
    if command.allocation not in keys:
        raise NotFound(f"there is no allocation {command.allocation!r}", f"{path}.allocations")
    index = keys.index(command.allocation)
    was = old.allocations[index]
    asked = replaced(was, weights=command.weights, total=command.total, slots=())
    slots = known_slots(_up_to(old, experiment), _committed(experiment, proposal)).get(was.key, ())
    laid = lay_allocation(asked, old, slots, f"{path}.allocations[{index}]")
    allocations = (*old.allocations[:index], laid, *old.allocations[index + 1 :])
    new = replaced(old, allocations=allocations)
    _put(experiment, old, new, _direction(was, laid), proposal)


def _up_to(iteration: Iteration, experiment: Experiment) -> list[Iteration]:
    """The iteration after those before it."""
    earlier = [one for one in experiment.iterations if one.number < iteration.number]
    return [*earlier, iteration]


def _committed(experiment: Experiment, proposal: Proposal) -> Experiment | None:
    committed: Experiment | None = proposal.catalog.experiments.get(experiment.key)
    return committed


def _direction(old: Allocation, new: Allocation) -> Event:
    """Weights go down where some treatment's exact share shrinks, else they only go up."""
    after = dict(new.weights)
    shrinks = any(
        after.get(treatment, 0) * old.total < part * new.total for treatment, part in old.weights
    )
    return Event.WEIGHTS_DOWN if shrinks else Event.WEIGHTS_UP


def _set_audience(command: SetAudience, proposal: Proposal) -> None:
    experiment, old = _find(command.experiment, command.iteration, proposal)
    new = replaced(old, audience=command.segment)
    _put(experiment, old, new, Event.AUDIENCE, proposal)


def _set_enrolment(command: SetEnrolment, proposal: Proposal) -> None:
    experiment, old = _find(command.experiment, command.iteration, proposal)
    grows = command.share_ppm > old.enrolment_ppm
    event = Event.ENROLMENT_UP if grows else Event.ENROLMENT_DOWN
    _put(experiment, old, replaced(old, enrolment_ppm=command.share_ppm), event, proposal)


def _find(key: str, number: int | None, proposal: Proposal) -> tuple[Experiment, Iteration]:
    """The experiment and the iteration that is meant: the current one where no number is given."""
    experiment = proposal.get(Experiment, key)
    if number is None:
        return experiment, experiment.current
    for iteration in experiment.iterations:
        if iteration.number == number:
            return experiment, iteration
    raise NotFound(f"there is no iteration {number}", f"{noun_path('experiment', key)}.iterations")


def _put(
    experiment: Experiment,
    old: Iteration,
    new: Iteration,
    event: Event,
    proposal: Proposal,
) -> None:
    if new == old:
        return
    at = lifecycle.iteration_status(experiment, old)
    lifecycle.permit(proposal.policy, event, at, iteration_path(experiment, old))
    iterations = tuple(new if one is old else one for one in experiment.iterations)
    proposal.put(replaced(experiment, iterations=iterations))


EDITS: Final[Mapping[type, Callable[[Any, Proposal], None]]] = {
    DraftIteration: _draft,
    SetTreatments: _set_treatments,
    SetAllocations: _set_allocations,
    SetWeights: _set_weights,
    SetAudience: _set_audience,
    SetEnrolment: _set_enrolment,
}
