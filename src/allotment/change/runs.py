"""Edits that move an experiment through its lifecycle: start, pause, resume, end."""

from __future__ import annotations

from dataclasses import replace

from allotment.change import lifecycle
from allotment.change.commands import (
    EndIteration,
    PauseIteration,
    ResumeIteration,
    StartIteration,
)
from allotment.change.edit import edit
from allotment.change.lifecycle import Event
from allotment.change.place import place
from allotment.change.proposal import Proposal
from allotment.model.experiment import Experiment, Iteration, State
from allotment.model.flag import Flag, FlagState


@edit.register
def _start(command: StartIteration, proposal: Proposal) -> None:
    experiment = proposal.get(Experiment, command.experiment)

    def is_on(flag: str) -> bool:
        return proposal.get(Flag, flag).state is FlagState.ON

    draft = lifecycle.may_start(proposal.policy, experiment, is_on, command.justification)
    justification = command.justification or draft.justification
    running = replace(draft, state=State.RUNNING, justification=justification)
    earlier = [
        replace(one, state=State.STOPPED) if one is experiment.live else one
        for one in experiment.iterations[:-1]
    ]
    proposal.put(replace(experiment, iterations=(*earlier, running)))


@edit.register
def _pause(command: PauseIteration, proposal: Proposal) -> None:
    _switch(command.experiment, State.PAUSED, Event.PAUSE, proposal)


@edit.register
def _resume(command: ResumeIteration, proposal: Proposal) -> None:
    _switch(command.experiment, State.RUNNING, Event.RESUME, proposal)


def _switch(key: str, to: State, event: Event, proposal: Proposal) -> None:
    experiment = proposal.get(Experiment, key)
    current = experiment.current
    if current.state is to and not experiment.archived:
        return
    path = place("experiment", key)
    lifecycle.permit(proposal.policy, event, lifecycle.status(experiment), path)
    _put(experiment, current, replace(current, state=to), proposal)


@edit.register
def _end(command: EndIteration, proposal: Proposal) -> None:
    experiment = proposal.get(Experiment, command.experiment)
    current = experiment.current
    ended = replace(
        current, state=State.STOPPED, winner=command.winner, winning_reason=command.reason
    )
    if ended == current:
        return
    path = place("experiment", experiment.key)
    lifecycle.permit(proposal.policy, Event.STOP, lifecycle.status(experiment), path)
    lifecycle.may_stop(proposal.policy, command.winner, path)
    _put(experiment, current, ended, proposal)


def _put(experiment: Experiment, old: Iteration, new: Iteration, proposal: Proposal) -> None:
    iterations = tuple(new if one is old else one for one in experiment.iterations)
    proposal.put(replace(experiment, iterations=iterations))
