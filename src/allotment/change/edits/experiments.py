"""Edits of an experiment itself, and its start, pause, resumption and end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from allotment.change import lifecycle, obstacles
from allotment.change.commands import (
    ArchiveExperiment,
    EndIteration,
    PauseIteration,
    RestoreExperiment,
    ResumeIteration,
    SetIntake,
    SetKeeping,
    SetOverrides,
    SetUnit,
    StartIteration,
)
from allotment.change.defaults import carries_on, with_slots
from allotment.change.kinds import iteration_path, noun_path
from allotment.change.lifecycle import Event
from allotment.change.proposal import Proposal
from allotment.model.experiment import Experiment, Iteration, State


def _set_unit(command: SetUnit, proposal: Proposal) -> None:
    old = proposal.get(Experiment, command.experiment)
    _put(old, replace(old, unit=command.unit), Event.UNIT, proposal)


def _set_overrides(command: SetOverrides, proposal: Proposal) -> None:
    old = proposal.get(Experiment, command.experiment)
    new = replace(old, overrides=tuple(sorted(command.overrides)))
    _put(old, new, Event.OVERRIDES, proposal)


def _set_keeping(command: SetKeeping, proposal: Proposal) -> None:
    old = proposal.get(Experiment, command.experiment)
    new = replace(
        old,
        keeps_assignments=command.keeps_assignments,
        ignore_targeting=command.ignore_targeting,
    )
    _put(old, new, Event.KEEPING, proposal)


def _set_intake(command: SetIntake, proposal: Proposal) -> None:
    old = proposal.get(Experiment, command.experiment)
    _put(old, replace(old, intake_open=command.open), Event.INTAKE, proposal)


def _archive(command: ArchiveExperiment, proposal: Proposal) -> None:
    old = proposal.get(Experiment, command.experiment)
    _put(old, replace(old, archived=True), Event.ARCHIVE, proposal)


def _restore(command: RestoreExperiment, proposal: Proposal) -> None:
    old = proposal.get(Experiment, command.experiment)
    _put(old, replace(old, archived=False), Event.RESTORE, proposal)


def _put(old: Experiment, new: Experiment, event: Event, proposal: Proposal) -> None:
    if new == old:
        return
    path = noun_path("experiment", old.key)
    lifecycle.permit(proposal.policy, event, lifecycle.status(old), path)
    proposal.put(new)


def _start(command: StartIteration, proposal: Proposal) -> None:
    experiment = proposal.get(Experiment, command.experiment)
    draft = obstacles.may_start(proposal, experiment, command.justification)
    justification = command.justification or draft.justification
    running = replace(
        draft, state=State.RUNNING, justification=justification, started_at=command.at
    )
    if carries_on(experiment.iterations):
        bare = tuple(replace(one, slots=()) for one in draft.allocations)
        running = replace(running, allocations=bare)
    earlier = [
        replace(one, state=State.STOPPED, ended_at=command.at) if one is experiment.live else one
        for one in experiment.iterations[:-1]
    ]
    committed = proposal.catalog.experiments.get(experiment.key)
    path = iteration_path(experiment, draft)
    running = with_slots([*earlier, running], committed, path)
    proposal.put(replace(experiment, iterations=(*earlier, running)))


def _pause(command: PauseIteration, proposal: Proposal) -> None:
    experiment = proposal.get(Experiment, command.experiment)
    current = experiment.current
    if _is(State.PAUSED, experiment):
        return
    path = noun_path("experiment", experiment.key)
    lifecycle.permit(proposal.policy, Event.PAUSE, lifecycle.status(experiment), path)
    _put_iteration(experiment, current, replace(current, state=State.PAUSED), proposal)


def _resume(command: ResumeIteration, proposal: Proposal) -> None:
    experiment = proposal.get(Experiment, command.experiment)
    current = experiment.current
    if _is(State.RUNNING, experiment):
        return
    obstacles.may_resume(proposal, experiment)
    _put_iteration(experiment, current, replace(current, state=State.RUNNING), proposal)


def _is(state: State, experiment: Experiment) -> bool:
    return experiment.current.state is state and not experiment.archived


def _end(command: EndIteration, proposal: Proposal) -> None:
    experiment = proposal.get(Experiment, command.experiment)
    current = experiment.current
    ended = replace(
        current,
        state=State.STOPPED,
        winner=command.winner,
        winning_reason=command.reason,
        ended_at=command.at,
    )
    if replace(ended, ended_at=current.ended_at) == current:
        return  # it ended when it first did
    path = noun_path("experiment", experiment.key)
    lifecycle.permit(proposal.policy, Event.STOP, lifecycle.status(experiment), path)
    lifecycle.may_stop(proposal.policy, command.winner, path)
    _put_iteration(experiment, current, ended, proposal)


def _put_iteration(
    experiment: Experiment, old: Iteration, new: Iteration, proposal: Proposal
) -> None:
    iterations = tuple(new if one is old else one for one in experiment.iterations)
    proposal.put(replace(experiment, iterations=iterations))


EDITS: Final[Mapping[type, Callable[[Any, Proposal], None]]] = {
    SetUnit: _set_unit,
    SetOverrides: _set_overrides,
    SetKeeping: _set_keeping,
    SetIntake: _set_intake,
    ArchiveExperiment: _archive,
    RestoreExperiment: _restore,
    StartIteration: _start,
    PauseIteration: _pause,
    ResumeIteration: _resume,
    EndIteration: _end,
}
