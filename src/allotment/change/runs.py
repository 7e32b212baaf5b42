"""Edits that move an experiment through its lifecycle: start, pause, resume, end."""

from __future__ import annotations

from dataclasses import replace

from allotment.change import lifecycle, obstacles
from allotment.change.commands import (
    EndIteration,
    PauseIteration,
    ResumeIteration,
    StartIteration,
)
from allotment.change.edit import edit
from allotment.change.laying import carries_on, with_slots
from allotment.change.lifecycle import Event
from allotment.change.place import iteration_place, place
from allotment.change.proposal import Proposal
from allotment.model.experiment import Experiment, Iteration, State


@edit.register
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
    path = iteration_place(experiment, draft)
    running = with_slots([*earlier, running], committed, path)
    proposal.put(replace(experiment, iterations=(*earlier, running)))


@edit.register
def _pause(command: PauseIteration, proposal: Proposal) -> None:
    experiment = proposal.get(Experiment, command.experiment)
    current = experiment.current
    if _is(State.PAUSED, experiment):
        return
    path = place("experiment", experiment.key)
    lifecycle.permit(proposal.policy, Event.PAUSE, lifecycle.status(experiment), path)
    _put(experiment, current, replace(current, state=State.PAUSED), proposal)


@edit.register
def _resume(command: ResumeIteration, proposal: Proposal) -> None:
    experiment = proposal.get(Experiment, command.experiment)
    current = experiment.current
    if _is(State.RUNNING, experiment):
        return
    obstacles.may_resume(proposal, experiment)
    _put(experiment, current, replace(current, state=State.RUNNING), proposal)


def _is(state: State, experiment: Experiment) -> bool:
    return experiment.current.state is state and not experiment.archived


@edit.register
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
    path = place("experiment", experiment.key)
    lifecycle.permit(proposal.policy, Event.STOP, lifecycle.status(experiment), path)
    lifecycle.may_stop(proposal.policy, command.winner, path)
    _put(experiment, current, ended, proposal)


def _put(experiment: Experiment, old: Iteration, new: Iteration, proposal: Proposal) -> None:
    iterations = tuple(new if one is old else one for one in experiment.iterations)
    proposal.put(replace(experiment, iterations=iterations))
