"""Edits of an experiment that outlive its iterations."""

from __future__ import annotations

from dataclasses import replace

from allotment.change import lifecycle
from allotment.change.commands import (
    ArchiveExperiment,
    RestoreExperiment,
    SetIntake,
    SetKeeping,
    SetOverrides,
    SetUnit,
)
from allotment.change.edit import edit
from allotment.change.lifecycle import Event
from allotment.change.place import place
from allotment.change.proposal import Proposal
from allotment.model.experiment import Experiment


@edit.register
def _set_unit(command: SetUnit, proposal: Proposal) -> None:
    old = proposal.get(Experiment, command.experiment)
    _put(old, replace(old, unit=command.unit), Event.UNIT, proposal)


@edit.register
def _set_overrides(command: SetOverrides, proposal: Proposal) -> None:
    old = proposal.get(Experiment, command.experiment)
    new = replace(old, overrides=tuple(sorted(command.overrides)))
    _put(old, new, Event.OVERRIDES, proposal)


@edit.register
def _set_keeping(command: SetKeeping, proposal: Proposal) -> None:
    old = proposal.get(Experiment, command.experiment)
    new = replace(
        old,
        keeps_assignments=command.keeps_assignments,
        ignore_targeting=command.ignore_targeting,
    )
    _put(old, new, Event.KEEPING, proposal)


@edit.register
def _set_intake(command: SetIntake, proposal: Proposal) -> None:
    old = proposal.get(Experiment, command.experiment)
    _put(old, replace(old, intake_open=command.open), Event.INTAKE, proposal)


@edit.register
def _archive(command: ArchiveExperiment, proposal: Proposal) -> None:
    old = proposal.get(Experiment, command.experiment)
    _put(old, replace(old, archived=True), Event.ARCHIVE, proposal)


@edit.register
def _restore(command: RestoreExperiment, proposal: Proposal) -> None:
    old = proposal.get(Experiment, command.experiment)
    _put(old, replace(old, archived=False), Event.RESTORE, proposal)


def _put(old: Experiment, new: Experiment, event: Event, proposal: Proposal) -> None:
    if new == old:
        return
    path = place("experiment", old.key)
    lifecycle.permit(proposal.policy, event, lifecycle.status(old), path)
    proposal.put(new)
