"""States of an instance: its history, its locks, what keeps it from starting, and their change."""

from __future__ import annotations

from typing import Final, Literal, get_args

from allotment.change.commands import (
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
    called,
    editable,
    possible_transitions,
    status,
)
from allotment.change.obstacles import Obstacle, ObstacleCode, obstacles
from allotment.dialects.confidence.fields import Moment
from allotment.dialects.confidence.modules import MODULES
from allotment.dialects.confidence.names import instance_at, instance_name
from allotment.dialects.confidence.protobuf import Message
from allotment.dialects.confidence.segments import allocate_audience
from allotment.dialects.confidence.treatments import PARTS, shown_weights
from allotment.dialects.wire.model import LEFT_OUT, Maybe, Model
from allotment.dialects.wire.operation import Call
from allotment.errors import InvalidChange
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.instant import show_instant

InstanceState = Literal["draft", "live", "paused", "ended"]


class ConfidenceCheck(Model):
    """What keeps an instance from a state."""

    name: str
    displayName: str
    parent: str
    message: str
    state: InstanceState
    persist: bool
    data: bool


class ConfidenceEntry(Model):
    """A state that an instance has been in; a moment that is not known is left out."""

    state: InstanceState
    enteredTime: Maybe[Moment] = LEFT_OUT
    actualEnteredTime: Maybe[Moment] = LEFT_OUT
    exitedTime: Maybe[Moment] = LEFT_OUT
    actualExitedTime: Maybe[Moment] = LEFT_OUT
    checks: list[ConfidenceCheck]


class ConfidenceTransition(Message):
    """The body that moves an instance to another state."""

    targetState: InstanceState


_STATES: Final[dict[str, InstanceState]] = {word: word for word in get_args(InstanceState)}

_PATH: Final = "$.targetState"

# The gate of `flags` is its intake, which is switched while live; each other field in it is asked
# about by the event that it is.
_MODULES: Final[Fields] = {
    **dict.fromkeys(("abtest", "flags", *MODULES), (Event.NAME,)),
    "abtest": STRUCTURE,
    "flags": (Event.INTAKE,),
}


def shown_state(experiment: Experiment) -> InstanceState:
    """This API's word for where the experiment stands."""
    return _STATES[called(Policy.CONFIDENCE, status(experiment))]


def shown_transitions(experiment: Experiment) -> list[InstanceState]:
    """The states that can follow, as `:transition` takes them."""
    following = possible_transitions(Policy.CONFIDENCE, status(experiment))
    return [_STATES[word] for word in following]


def shown_locks(experiment: Experiment) -> tuple[str, ...]:
    """The modules that cannot be changed now, as the lifecycle has it."""
    free = editable(Policy.CONFIDENCE, _MODULES, status(experiment))
    return tuple(module for module in _MODULES if module not in free)


def show_history(experiment: Experiment, created_at: int) -> list[ConfidenceEntry]:
    """The states it has been in, the first first; a moment that is not known is left out."""
    current, here = experiment.current, shown_state(experiment)
    entered: dict[InstanceState, int | None] = {
        "draft": created_at,
        "live": current.started_at,
        "paused": None,
        "ended": current.ended_at,
    }
    passed: list[InstanceState] = [*dict.fromkeys(("draft", "live", here))]
    if here == "draft":
        passed = ["draft"]
    history = []
    for state, following in zip(passed, (*passed[1:], None), strict=True):
        came, went = entered[state], entered[following] if following else None
        came_at, went_at = (None if at is None else show_instant(at) for at in (came, went))
        history.append(
            ConfidenceEntry(
                state=state,
                enteredTime=came_at,
                actualEnteredTime=came_at,
                exitedTime=went_at,
                actualExitedTime=went_at,
                checks=[],
            )
        )
    return history


def show_checks(experiment: Experiment, catalog: Catalog) -> list[ConfidenceCheck]:
    """What keeps the instance from going live; none where it cannot anyway."""
    if "live" not in shown_transitions(experiment):
        return []
    parent = instance_name(experiment.key)
    return [
        ConfidenceCheck(
            name=f"{parent}/checks/{one.code.replace('_', '-')}",
            displayName=one.code.replace("_", " ").capitalize(),
            parent=parent,
            message=_message(one, experiment),
            state="live",
            persist=False,
            data=False,
        )
        for one in obstacles(Policy.CONFIDENCE, experiment, catalog)
    ]


def _message(obstacle: Obstacle, experiment: Experiment) -> str:
    """What keeps it from going live, in this API's parts where it is about weights."""
    if obstacle.code is not ObstacleCode.WEIGHTS:
        return obstacle.message
    parts = sum(shown_weights(experiment.current).values())
    return f"the weights sum to {parts:,}; they have to be {PARTS:,} or less"


def transition_instance(call: Call[ConfidenceTransition], catalog: Catalog) -> list[Command]:
    """Move an instance to another state, one of its possibleTransitions."""
    experiment = instance_at(catalog, call.ids["instance"])
    target, here = call.body.targetState, shown_state(experiment)
    if target == here:
        return []
    if target not in shown_transitions(experiment):
        following = " or ".join(shown_transitions(experiment)) or "nothing"
        message = f"an instance that is {here} cannot become {target}; {following} can follow"
        raise InvalidChange(message, _PATH)
    if target == "paused":
        return [PauseIteration(experiment.key)]
    if here == "paused" and target == "live":
        return [ResumeIteration(experiment.key)]
    if target == "live":
        for one in obstacles(Policy.CONFIDENCE, experiment, catalog):
            raise InvalidChange(_message(one, experiment), _PATH, code=one.code)
        ready = allocate_audience(experiment, call.account, catalog, _PATH)
        return [*ready, StartIteration(experiment.key, at=call.now)]
    return [EndIteration(experiment.key, at=call.now)]
