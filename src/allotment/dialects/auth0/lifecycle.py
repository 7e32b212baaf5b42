"""Statuses of experiments, and their ramps: this API's words, and the commands that lead on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal, get_args

from pydantic import Field

from allotment.change.apply import apply
from allotment.change.commands import (
    ArchiveExperiment,
    Command,
    EndIteration,
    PauseIteration,
    ResumeIteration,
    SetEnrolment,
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
from allotment.dialects.auth0.fields import ExperimentId
from allotment.dialects.auth0.flags import shown_flag_status
from allotment.dialects.auth0.names import FIELDS, id_of, noun_at
from allotment.dialects.wire.model import WHOLE, Body, Model, Refusal, must
from allotment.dialects.wire.operation import Call, Noun, ReadState
from allotment.dialects.wire.source import Tree
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.flag import FlagState
from allotment.model.limits import BUCKETS

ExperimentStatus = Literal["draft", "active", "paused", "completed", "archived"]
Percent = Annotated[int, Field(ge=0, le=100), WHOLE]
_PERCENT: Final = BUCKETS // 100


Levels = Annotated[
    list[Percent],
    Field(min_length=1, max_length=101, json_schema_extra={"uniqueItems": True}),
    must(
        lambda levels: levels == sorted(set(levels)), "levels ascend, each above the one before it"
    ),
]


class Auth0ExperimentStatus(Body):
    """The body that moves an experiment."""

    status: ExperimentStatus


class Auth0Obstacle(Model):
    """One thing that keeps an experiment from being activated."""

    code: str
    message: str


class Auth0Validation(Model):
    """Everything that keeps an experiment from being activated."""

    is_valid: bool
    errors: list[Auth0Obstacle]


class Auth0RampTarget(Body):
    """The body that raises an experiment's exposure."""

    target_level: Percent


class Auth0Ramp(Model):
    """Where a ramp was, and where it is."""

    experiment_id: ExperimentId
    from_level: Percent
    to_level: Percent
    current_level: Percent


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


def shown_status(experiment: Experiment) -> ExperimentStatus:
    """This API's word for the status of an experiment."""
    return _STATUS[status(experiment)]


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


def move_experiment(call: Call[Auth0ExperimentStatus], catalog: Catalog) -> list[Command]:
    """Move an experiment to another status."""
    experiment = noun_at("experiment", catalog.experiments, call.ids, catalog)
    return move(call.body.status, experiment, catalog, (), call.now)


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
    known = ((OBSTACLES[one.code][0], _message(one, experiment, catalog)) for one in rules)
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
    keys = sorted({flag for one in experiment.current.treatments for flag, _ in one.sets})
    for key in keys if obstacle.code is ObstacleCode.FLAG_NOT_ON else ():
        flag = catalog.flags.get(key)
        if flag is not None and flag.state is not FlagState.ON:
            word = shown_flag_status(flag)
            return f"Feature flag {id_of('flag', key)} is in {word} status; must be active"
    return OBSTACLES[obstacle.code][1]


def validate_experiment(state: ReadState, noun: Noun) -> Auth0Validation:
    """Everything that keeps an experiment from being activated."""
    experiment = state.catalog.experiments[noun.key]
    errors = [
        Auth0Obstacle(code=code, message=message)
        for code, message in obstacles_of(experiment, state.catalog)
    ]
    return Auth0Validation(is_valid=not errors, errors=errors)


def advance_ramp(call: Call[Auth0RampTarget], catalog: Catalog) -> list[Command]:
    """Raise the enrolment share to the next level; nothing where it is there already."""
    experiment = noun_at("experiment", catalog.experiments, call.ids, catalog)
    target = call.body.target_level * _PERCENT
    levels, share = shown_levels(experiment), experiment.current.enrolment_ppm
    if not levels or status(experiment) is not Status.RUNNING:
        word = called(Policy.AUTH0, status(experiment))
        why = f"it is {word}" if levels else "it has no levels"
        raise Refusal(409, "experiment_ramp_not_active", f"No ramp is active: {why}")
    if target == share:
        return []
    if target != next((each * _PERCENT for each in levels if each * _PERCENT > share), None):
        message = "The target must be the immediate next level"
        raise Refusal(400, "experiment_ramp_level_not_next", message, "$.target_level")
    return [SetEnrolment(experiment.key, target)]


def set_levels(levels: list[int] | None, experiment: Experiment) -> Iterator[Command]:
    """The commands that give an experiment another ramp."""
    if (levels or []) != shown_levels(experiment):
        check_editable("levels", experiment)
        yield SetEnrolment(experiment.key, first_share(levels))
        kept: Tree = [*levels] if levels else None
        yield FIELDS.keep("experiment", experiment.key, LEVELS, kept)


def first_share(levels: list[int] | None) -> int:
    """The enrolment share that a ramp starts with, in parts per million."""
    return levels[0] * _PERCENT if levels else BUCKETS


Done = Sequence[Command]
LEVELS: Final = "levels"


def get_ramp(state: ReadState, noun: Noun, done: Done = ()) -> Auth0Ramp:
    """Where a ramp was and is; the same level twice where there was nothing to do."""
    experiment = state.catalog.experiments[noun.key]
    here = current_level(experiment) or 0
    below = [level for level in shown_levels(experiment) if level < here]
    return Auth0Ramp(
        experiment_id=id_of("experiment", experiment.key),
        from_level=below[-1] if done and below else here,
        to_level=here,
        current_level=here,
    )


def shown_levels(experiment: Experiment) -> list[int]:
    """The levels of the ramp in percent; none where the experiment has no ramp.

    A draft that was made elsewhere and does not enrol all units shows its share as the only level.
    """
    levels = FIELDS.kept(experiment, LEVELS)
    if isinstance(levels, list):
        return [level for level in levels if isinstance(level, int)]
    if status(experiment) is Status.DRAFT and experiment.current.enrolment_ppm < BUCKETS:
        return [_in_percent(experiment)]
    return []


def current_level(experiment: Experiment) -> int | None:
    """The enrolment share in whole percent, once the experiment has started."""
    return None if status(experiment) is Status.DRAFT else _in_percent(experiment)


def _in_percent(experiment: Experiment) -> int:
    return (experiment.current.enrolment_ppm + _PERCENT // 2) // _PERCENT
