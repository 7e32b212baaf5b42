"""What people change of an experiment: each change is a form, and the commands that it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from allotment.change.commands import (
    Command,
    EndIteration,
    PauseIteration,
    ResumeIteration,
    SetAllocations,
    SetAudience,
    SetEnrolment,
    SetOverrides,
    SetWeights,
    StartIteration,
)
from allotment.change.lifecycle import Event, Policy, allows, status
from allotment.errors import InvalidInput, NotFound
from allotment.model.experiment import Experiment
from allotment.model.limits import WHOLE_MAX
from allotment.model.number import read_percent
from allotment.server.http.requests import whole

# The fields of a form, by name.
Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ChangeForm:
    """A change that people make: its title, and the event that its commands are.

    `read` makes the commands of a form's fields; raises InvalidInput with the field of the fault.
    `now` is in milliseconds since 1970.
    """

    title: str
    event: Event
    read: Callable[[Fields, Experiment, int], list[Command]]


def form_named(what: str) -> ChangeForm:
    """The form of that name; raises NotFound."""
    if what not in FORMS:
        raise NotFound(f"there is no such change; there are {', '.join(FORMS)}")
    return FORMS[what]


def offered(experiment: Experiment) -> dict[str, str]:
    """The changes that are allowed where the experiment stands, by name, with their titles."""
    found = {}
    for what, form in FORMS.items():
        event = form.event
        if event is Event.START and experiment.live is not None:
            event = Event.START_OVER
        is_there = experiment.draft is not None or form.event is not Event.START
        if is_there and allows(Policy.NATIVE, event, status(experiment)):
            found[what] = form.title
    return found


def _ramp(fields: Fields, experiment: Experiment, _now: int) -> list[Command]:
    text = fields.get("share", "").strip()
    share = read_percent(text if text.endswith("%") else f"{text}%", "share")
    return [SetEnrolment(experiment.key, share)]


def _weights(fields: Fields, experiment: Experiment, _now: int) -> list[Command]:
    """The weights of all allocations, of which those that differ are set."""
    current = experiment.current
    if not current.allocations:
        raise InvalidInput("there are no allocations yet", "weights")
    commands: list[Command] = []
    for place, allocation in enumerate(current.allocations):
        name = allocation.key
        total = whole(fields.get(f"total{place}", "").strip(), f"total of {name}", 1, WHOLE_MAX)
        said = [fields.get(f"w{place}-{n}", "").strip() for n in range(len(current.treatments))]
        weights = tuple(
            (each.key, whole(text or "0", f"{each.key} of {name}", 0, WHOLE_MAX))
            for each, text in zip(current.treatments, said, strict=True)
        )
        had = dict(allocation.weights)
        if total != allocation.total or any(had.get(key, 0) != part for key, part in weights):
            commands.append(SetWeights(experiment.key, name, weights, total))
    return commands


def _pause(_fields: Fields, experiment: Experiment, _now: int) -> list[Command]:
    return [PauseIteration(experiment.key)]


def _resume(_fields: Fields, experiment: Experiment, _now: int) -> list[Command]:
    return [ResumeIteration(experiment.key)]


def _start(fields: Fields, experiment: Experiment, now: int) -> list[Command]:
    return [StartIteration(experiment.key, fields.get("justification", "").strip(), at=now)]


def _stop(fields: Fields, experiment: Experiment, now: int) -> list[Command]:
    winner = fields.get("winner") or None
    return [EndIteration(experiment.key, winner, fields.get("reason", "").strip(), at=now)]


def _segments(fields: Fields, experiment: Experiment, _now: int) -> list[Command]:
    current = experiment.current
    allocations = []
    for place, each in enumerate(current.allocations):
        if each.fallback:
            allocations.append(replace(each, slots=()))
            continue
        segment = fields.get(f"segment{place}", "").strip() or None
        text = fields.get(f"priority{place}", "").strip()
        priority = whole(text, f"priority of {each.key}", 1, WHOLE_MAX)
        allocations.append(replace(each, segment=segment, priority=priority, slots=()))
    commands: list[Command] = [SetAllocations(experiment.key, tuple(allocations))]
    audience = fields.get("audience", "").strip() or None
    if audience != current.audience:
        commands.append(SetAudience(experiment.key, audience))
    return commands


def _overrides(fields: Fields, experiment: Experiment, _now: int) -> list[Command]:
    overrides = dict(experiment.overrides)
    for line in fields.get("remove", "").splitlines():
        unit = line.strip()
        if unit and overrides.pop(unit, None) is None:
            raise InvalidInput(f"{unit!r} has no override to take away", "remove")
    for line in fields.get("add", "").splitlines():
        unit, _, treatment = line.strip().rpartition(" ")
        if line.strip() and not unit.strip():
            raise InvalidInput("a line has a unit and, after a space, its treatment", "add")
        if unit:
            overrides[unit.strip()] = treatment
    return [SetOverrides(experiment.key, tuple(sorted(overrides.items())))]


FORMS: Final[Mapping[str, ChangeForm]] = {
    "ramp": ChangeForm("Ramp", Event.ENROLMENT_UP, _ramp),
    "weights": ChangeForm("Weights", Event.WEIGHTS_UP, _weights),
    "pause": ChangeForm("Pause", Event.PAUSE, _pause),
    "resume": ChangeForm("Resume", Event.RESUME, _resume),
    "start": ChangeForm("Start", Event.START, _start),
    "stop": ChangeForm("Stop", Event.STOP, _stop),
    "segments": ChangeForm("Segments", Event.ALLOCATIONS, _segments),
    "overrides": ChangeForm("Overrides", Event.OVERRIDES, _overrides),
}
