"""Whether an experiment may be activated, in this API's codes and sentences."""

from __future__ import annotations

from typing import Final

from allotment.change.lifecycle import Policy
from allotment.change.obstacles import Obstacle, ObstacleCode, obstacles
from allotment.dialects.auth0.codes import OBSTACLES
from allotment.dialects.auth0.flags import shown_status
from allotment.dialects.auth0.ids import id_of
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.flag import FlagState

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


def found(experiment: Experiment, catalog: Catalog) -> list[tuple[str, str]]:
    """Code and message of all that keeps the experiment from running, each once."""
    rules = obstacles(Policy.AUTH0, experiment, catalog)
    known = ((OBSTACLES[one.code], _message(one, experiment, catalog)) for one in rules)
    return list(dict.fromkeys(known))


def show_validation(experiment: Experiment, catalog: Catalog) -> dict[str, Tree]:
    """What `validate` answers."""
    errors: list[Tree] = [
        {"code": code, "message": message} for code, message in found(experiment, catalog)
    ]
    return {"is_valid": not errors, "errors": errors}


def _message(obstacle: Obstacle, experiment: Experiment, catalog: Catalog) -> str:
    if obstacle.code is not ObstacleCode.FLAG_NOT_ON:
        return _MESSAGES[obstacle.code]
    keys = sorted({flag for one in experiment.current.treatments for flag, _ in one.sets})
    for key in keys:
        flag = catalog.flags.get(key)
        if flag is not None and flag.state is not FlagState.ON:
            status = shown_status(flag)
            return f"Feature flag {id_of('flag', key)} is in {status} status; must be active"
    return "Feature flag not found"
