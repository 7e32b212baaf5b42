"""States of an instance: this API's words, its history, what keeps it from starting, and the
commands that lead from one state to another."""

from __future__ import annotations

from typing import Final

from allotment.change.commands import (
    Command,
    EndIteration,
    PauseIteration,
    ResumeIteration,
    StartIteration,
)
from allotment.change.lifecycle import Policy, Status, called, possible_transitions, status
from allotment.change.obstacles import Obstacle, ObstacleCode, obstacles
from allotment.dialects.confidence.names import get_instance, instance_name
from allotment.dialects.confidence.segments import allocate_audience
from allotment.dialects.confidence.weights import PARTS, shown_weights
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.source import Tree
from allotment.errors import InvalidChange
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.instant import show_instant

STATES: Final = tuple(dict.fromkeys(called(Policy.CONFIDENCE, at) for at in Status))
DRAFT, LIVE, PAUSED, ENDED = STATES


def shown_state(experiment: Experiment) -> str:
    """This API's word for where the experiment stands."""
    return called(Policy.CONFIDENCE, status(experiment))


def shown_transitions(experiment: Experiment) -> tuple[str, ...]:
    """The states that can follow, as `:transition` takes them."""
    return possible_transitions(Policy.CONFIDENCE, status(experiment))


def show_history(experiment: Experiment, created_at: int) -> list[Tree]:
    """The states it has been in, the first first; a moment that nobody noted is left out."""
    current, here = experiment.current, shown_state(experiment)
    entered = {DRAFT: created_at, LIVE: current.started_at, PAUSED: None, ENDED: current.ended_at}
    passed = list(dict.fromkeys((DRAFT, LIVE, here)))[: 1 if here == DRAFT else None]
    history: list[Tree] = []
    for state, following in zip(passed, (*passed[1:], None), strict=True):
        exited = entered[following] if following else None
        moments = {"Entered": entered[state], "Exited": exited}
        entry: dict[str, Tree] = {"state": state}
        for word, moment in moments.items():
            if moment is not None:
                text = show_instant(moment)
                entry.update({f"{word.lower()}Time": text, f"actual{word}Time": text})
        history.append({**entry, "checks": []})
    return history


def show_checks(experiment: Experiment, catalog: Catalog) -> list[Tree]:
    """What keeps the instance from going live; none where it cannot anyway."""
    if LIVE not in shown_transitions(experiment):
        return []
    parent = instance_name(experiment.key)
    return [
        {
            "name": f"{parent}/checks/{one.code.replace('_', '-')}",
            "displayName": one.code.replace("_", " ").capitalize(),
            "parent": parent,
            "message": _message(one, experiment),
            "state": LIVE,
            "persist": False,
            "data": False,
        }
        for one in obstacles(Policy.CONFIDENCE, experiment, catalog)
    ]


def _message(obstacle: Obstacle, experiment: Experiment) -> str:
    """What keeps it from going live, in this API's parts where it is about weights."""
    if obstacle.code is not ObstacleCode.WEIGHTS:
        return obstacle.message
    parts = sum(shown_weights(experiment.current).values())
    return f"the weights sum to {parts:,}; they have to be {PARTS:,} or less"


def read_transition(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands that lead to the target state; none where the instance is there already."""
    experiment = get_instance(catalog, asked.ids["instance"])
    place = asked.body.fields(("targetState",), ("targetState",)).at("targetState")
    target, here = place.word(STATES), shown_state(experiment)
    if target == here:
        return []
    if target not in shown_transitions(experiment):
        following = " or ".join(shown_transitions(experiment)) or "nothing"
        message = f"an instance that is {here} cannot become {target}; {following} can follow"
        raise InvalidChange(message, place.path)
    if target == PAUSED:
        return [PauseIteration(experiment.key)]
    if here == PAUSED and target == LIVE:
        return [ResumeIteration(experiment.key)]
    if target == LIVE:
        for one in obstacles(Policy.CONFIDENCE, experiment, catalog):
            raise InvalidChange(_message(one, experiment), place.path, code=one.code)
        ready = allocate_audience(experiment, catalog, place)
        return [*ready, StartIteration(experiment.key, at=asked.given.now)]
    return [EndIteration(experiment.key, at=asked.given.now)]
