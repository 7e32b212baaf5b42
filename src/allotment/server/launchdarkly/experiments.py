"""The operations on experiments and their iterations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from allotment.change.commands import Command, Create
from allotment.dialects.launchdarkly.experiments import read_create_experiment
from allotment.dialects.launchdarkly.ids import get_experiment
from allotment.dialects.launchdarkly.instructions import read_update_experiment
from allotment.dialects.launchdarkly.iterations import read_create_iteration
from allotment.dialects.launchdarkly.links import Scene
from allotment.dialects.launchdarkly.views import show_experiment, show_iteration
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.server.api.operation import ref as schema_ref
from allotment.server.api.vendor import Ids, Noun
from allotment.server.launchdarkly.api import PATCHED, VENDOR
from allotment.server.launchdarkly.operation import ENVIRONMENT, add
from allotment.server.launchdarkly.schemas import ref
from allotment.store import Stored

_MANY: Final = f"{ENVIRONMENT}/experiments"
_ONE: Final = f"{_MANY}/{{experimentKey}}"


def _find(ids: Ids, catalog: Catalog) -> Noun:
    return ("experiment", get_experiment(catalog, ids["experimentKey"]).key)


def _made(commands: Sequence[Command]) -> Noun:
    (noun,) = (command.noun for command in commands if isinstance(command, Create))
    return ("experiment", noun.key)


def _of(noun: Noun, stored: Stored) -> Experiment:
    experiment: Experiment = stored.catalog.experiments[noun[1]]
    return experiment


def _show(asked: Asked, noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
    """After a change, everything."""
    version = stored.versions[":".join(noun)]
    return show_experiment(_of(noun, stored), stored.catalog, version, Scene.of(asked.ids)).plain()


def _show_draft(asked: Asked, noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
    experiment = _of(noun, stored)
    draft = experiment.draft or experiment.current
    version = stored.versions[":".join(noun)]
    return show_iteration(experiment, draft, stored.catalog, version, Scene.of(asked.ids)).plain()


add(
    "POST",
    _MANY,
    "create_experiment",
    VENDOR.changing(read_create_experiment, None, _show, made=_made, status=201),
    "Create an experiment with its first iteration",
    {201: schema_ref("LDExperiment")},
    body=ref("ExperimentPost"),
)
add(
    "PATCH",
    _ONE,
    "patch_experiment",
    PATCHED.changing(read_update_experiment, _find, _show),
    "Change an experiment by instructions, all of them or none",
    {200: schema_ref("LDExperiment")},
    body=ref("ExperimentPatch"),
)
add(
    "POST",
    f"{_ONE}/iterations",
    "create_iteration",
    VENDOR.changing(read_create_iteration, _find, _show_draft),
    "Draft an iteration, in the place of the draft there is",
    {200: schema_ref("LDIteration")},
    body=ref("IterationInput"),
)
