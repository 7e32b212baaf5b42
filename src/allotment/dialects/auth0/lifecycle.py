"""Statuses of experiments and flags: this API's words, and the commands that lead to each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, get_args

from allotment.change.apply import apply
from allotment.change.commands import (
    ArchiveExperiment,
    Command,
    EndIteration,
    PauseIteration,
    ResumeIteration,
    StartIteration,
)
from allotment.change.lifecycle import (
    STRUCTURE,
    Event,
    Fields,
    Policy,
    Status,
    called,
    editable,
    possible_transitions,
    status,
)
from allotment.change.obstacles import Obstacle, ObstacleCode, obstacles
from allotment.dialects.auth0.errors import OBSTACLES
from allotment.dialects.auth0.ids import id_of
from allotment.dialects.auth0.labels import FIELDS
from allotment.dialects.auth0.schema.experiments import ExperimentStatus
from allotment.dialects.auth0.schema.flags import FlagStatus
from allotment.dialects.wire.refusal import Refusal
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.flag import Flag, FlagState

FLAG_STATUSES: Final[dict[FlagStatus, FlagState]] = {
    "draft": FlagState.OFF,
    "active": FlagState.ON,
    "archived": FlagState.ARCHIVED,
}
_FLAG_STATUS: Final = {state: word for word, state in FLAG_STATUSES.items()}

_STATUS: Final[dict[Status, ExperimentStatus]] = {
    at: word
    for word in get_args(ExperimentStatus)
    for at in Status
    if called(Policy.AUTH0, at) == word
}
_EDITED: Final = "edited_while_paused"

# What this API fixes when an experiment starts stands with the unit.
_FIELDS: Final[Fields] = {
    "name": (Event.NAME,),
    "description": (Event.NAME,),
    "authentication_flow": (Event.UNIT,),
    "allocations": STRUCTURE,
    "levels": (Event.ENROLMENT_UP, Event.ENROLMENT_DOWN),
}

_MESSAGES: Final[dict[str, str]] = {
    ObstacleCode.NO_TREATMENT: "Experiment has no allocations",
    ObstacleCode.NO_ALLOCATION: "Experiment has no allocations",
    ObstacleCode.NO_CONTROL: "Exactly one allocation must be the control",
    ObstacleCode.WEIGHTS: "Allocation weights must sum to 100",
    ObstacleCode.NO_WEIGHT: "Allocation weights must sum to 100",
    ObstacleCode.NO_FALLBACK: "Exactly one allocation must be the fallback",
    ObstacleCode.FOREIGN_VARIATION: "Variation does not belong to the referenced feature flag",
    ObstacleCode.ACTIVE_LIMIT: "Another experiment is active; pause or complete it first",
}


def shown_status(experiment: Experiment) -> ExperimentStatus:
    """This API's word for the status of an experiment."""
    return _STATUS[status(experiment)]


def shown_flag_status(flag: Flag) -> FlagStatus:
    """This API's word for the state of a flag."""
    return _FLAG_STATUS[flag.state]


def shown_editable_fields(experiment: Experiment) -> list[str]:
    """The fields that a PATCH may change now."""
    at = status(experiment)
    fields = editable(Policy.AUTH0, _FIELDS, at)
    return [*fields, *(["status"] if possible_transitions(Policy.AUTH0, at) else [])]


def check_editable(field: str, experiment: Experiment) -> None:
    """Raise the 400 for a field that may not be changed now."""
    if field in shown_editable_fields(experiment):
        return
    word = shown_status(experiment)
    if field == "allocations" and word == "active":
        message = "Cannot modify allocations on an active experiment"
        raise Refusal(400, "experiment_requires_pause", message, f"$.{field}")
    article = "an" if word[0] in "aeiou" else "a"
    message = f"Cannot modify {field} on {article} {word} experiment"
    raise Refusal(400, "experiment_field_not_editable", message, f"$.{field}")


def move(
    target: ExperimentStatus,
    experiment: Experiment,
    catalog: Catalog,
    edits: Sequence[Command],
    now: int,
) -> list[Command]:
    """The commands that lead to a status, none where the experiment has it already.

    They follow the request's `edits`: an experiment is activated as the edits make it.
    """
    here = shown_status(experiment)
    if target == here:
        return []
    if target == "draft":
        raise InvalidInput("an experiment never becomes a draft again", "$.status")
    if target not in possible_transitions(Policy.AUTH0, status(experiment)):
        message = f"Status transition is not allowed: {here} to {target}"
        if (here, target) == ("completed", "active"):
            message = "Completed experiments cannot be reactivated"
        raise Refusal(400, "experiment_status_transition_not_allowed", message, "$.status")
    if target == "active":
        _check_valid(experiment.key, apply(catalog, edits, Policy.AUTH0).catalog)
    return [_command(target, experiment, now), *_forget_edits(experiment, edits)]


def note_edit(experiment: Experiment) -> Iterator[Command]:
    """The command that records an edit of the allocations of a paused experiment.

    A paused experiment resumes as it was without another check. An edited one has to be valid.
    """
    if status(experiment) is Status.PAUSED:
        yield FIELDS.keep("experiment", experiment.key, _EDITED, True)


def obstacles_of(experiment: Experiment, catalog: Catalog) -> list[tuple[str, str]]:
    """The code and message of everything that keeps the experiment from running, each once."""
    rules = obstacles(Policy.AUTH0, experiment, catalog)
    known = ((OBSTACLES[one.code], _message(one, experiment, catalog)) for one in rules)
    return list(dict.fromkeys(known))


def _forget_edits(experiment: Experiment, edits: Sequence[Command]) -> Iterator[Command]:
    noted = any(each in edits for each in note_edit(experiment))
    if noted or FIELDS.kept(experiment, _EDITED) is not None:
        yield FIELDS.keep("experiment", experiment.key, _EDITED, None)


def _check_valid(key: str, catalog: Catalog) -> None:
    errors = obstacles_of(catalog.experiments[key], catalog)
    if errors:
        reasons = "; ".join(dict.fromkeys(message for _, message in errors))
        message = f"Experiment cannot be activated: validation failed: {reasons}"
        raise Refusal(400, errors[0][0], message, "$.status")


def _command(target: str, experiment: Experiment, now: int) -> Command:
    match target:
        case "active" if status(experiment) is Status.PAUSED:
            return ResumeIteration(experiment.key)
        case "active":
            return StartIteration(experiment.key, at=now)
        case "paused":
            return PauseIteration(experiment.key)
        case "completed":
            return EndIteration(experiment.key, at=now)
        case _:
            return ArchiveExperiment(experiment.key)


def _message(obstacle: Obstacle, experiment: Experiment, catalog: Catalog) -> str:
    if obstacle.code is not ObstacleCode.FLAG_NOT_ON:
        return _MESSAGES[obstacle.code]
    keys = sorted({flag for one in experiment.current.treatments for flag, _ in one.sets})
    for key in keys:
        flag = catalog.flags.get(key)
        if flag is not None and flag.state is not FlagState.ON:
            word = shown_flag_status(flag)
            return f"Feature flag {id_of('flag', key)} is in {word} status; must be active"
    return "Feature flag not found"
