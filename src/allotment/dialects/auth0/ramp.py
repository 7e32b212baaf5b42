"""The ramp: levels of exposure in percent, each an enrolment share that only grows."""

from __future__ import annotations

from typing import Final

from allotment.change.commands import Command, SetEnrolment
from allotment.change.lifecycle import Policy, Status, called, status
from allotment.dialects.auth0.ids import get_experiment, id_of
from allotment.dialects.auth0.kept import kept
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.refusal import Refusal
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.limits import BUCKETS

LEVELS: Final = "levels"

_PERCENT: Final = BUCKETS // 100
_LEVELS_MAX: Final = 101


def read_levels(place: Place) -> list[int]:
    """Percents that ascend strictly; none where the request says null, which ends the ramp."""
    if place.null:
        return []
    levels = [item.whole(0, 100) for item in place.items(1, _LEVELS_MAX)]
    if levels != sorted(set(levels)):
        raise place.refusal("levels ascend, each above the one before it")
    return levels


def share_of(levels: list[int]) -> int:
    """The enrolment share that a draft with these levels starts with, in parts per million."""
    return levels[0] * _PERCENT if levels else BUCKETS


def shown_levels(experiment: Experiment) -> list[int]:
    """The levels that are kept with the experiment; none where it has no ramp.

    A draft that was made elsewhere, and is not for all units, shows its share as the only level.
    """
    levels = kept(experiment, LEVELS)
    if isinstance(levels, list):
        return [level for level in levels if isinstance(level, int)]
    if status(experiment) is Status.DRAFT and experiment.current.enrolment_ppm < BUCKETS:
        return [_in_percent(experiment)]
    return []


def current_level(experiment: Experiment) -> int | None:
    """The enrolment share in whole percent, once the experiment has started."""
    if status(experiment) is Status.DRAFT:
        return None
    return _in_percent(experiment)


def _in_percent(experiment: Experiment) -> int:
    return (experiment.current.enrolment_ppm + _PERCENT // 2) // _PERCENT


def read_advance(asked: Asked, catalog: Catalog) -> list[Command]:
    """The command that raises the share to the next level; none where it is there already."""
    experiment = get_experiment(catalog, asked.ids["id"])
    body = asked.body.fields(("target_level",), ("target_level",))
    target = body.at("target_level").whole(0, 100)
    levels, share = shown_levels(experiment), experiment.current.enrolment_ppm
    if not levels or status(experiment) is not Status.RUNNING:
        word = called(Policy.AUTH0, status(experiment))
        why = f"it is {word}" if levels else "it has no levels"
        raise Refusal(409, "experiment_ramp_not_active", f"No ramp is active: {why}")
    if target * _PERCENT == share:
        return []
    following = next((level for level in levels if level * _PERCENT > share), None)
    if target != following:
        message = "The target must be the immediate next level"
        raise Refusal(400, "experiment_ramp_level_not_next", message, body.at("target_level").path)
    return [SetEnrolment(experiment.key, target * _PERCENT)]


def show_advance(experiment: Experiment, advanced: bool) -> dict[str, Tree]:
    """Where the ramp was and is; the same level twice where there was nothing to do."""
    here = current_level(experiment) or 0
    below = [level for level in shown_levels(experiment) if level < here]
    return {
        "experiment_id": id_of("experiment", experiment.key),
        "from_level": below[-1] if advanced and below else here,
        "to_level": here,
        "current_level": here,
    }
