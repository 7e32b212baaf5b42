"""The operations on experiments and their iterations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from allotment.change.commands import Command, Create
from allotment.dialects.launchdarkly.experiments import read_create_experiment
from allotment.dialects.launchdarkly.ids import get_experiment
from allotment.dialects.launchdarkly.instructions import read_update_experiment
from allotment.dialects.launchdarkly.iterations import read_create_iteration
from allotment.dialects.launchdarkly.links import Scene
from allotment.dialects.launchdarkly.lists import (
    LIMIT,
    LIMIT_MAX,
    QUERY,
    Environment,
    list_experiments,
    read_expand,
)
from allotment.dialects.launchdarkly.shown import show_experiment, show_iteration
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Versions
from allotment.errors import Forbidden
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.server.access import reaches
from allotment.server.answer import as_json
from allotment.server.conditional import admit, authenticated, node_of
from allotment.server.launchdarkly.api import PATCHED, VENDOR, check_named, spaces_of
from allotment.server.launchdarkly.operation import ENVIRONMENT, PROJECT, add
from allotment.server.launchdarkly.schemas import Schema, ref
from allotment.server.requests import query_of
from allotment.server.vendor import QUERY as QUERY_PATH
from allotment.server.vendor import Ids, Noun
from allotment.store import Scope, Stored

_MANY: Final = f"{ENVIRONMENT}/experiments"
_ONE: Final = f"{_MANY}/{{experimentKey}}"
_ALL: Final = f"{PROJECT}/experiments"

_TEXT: Final[Schema] = {"type": "string"}
_EXPAND: Final[dict[str, Schema]] = {"expand": _TEXT}
_LISTED: Final[dict[str, Schema]] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT},
    "offset": {"type": "integer", "minimum": 0, "default": 0},
    "filter": _TEXT,
    "expand": _TEXT,
    "lifecycleState": _TEXT,
}


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
    return show_experiment(_of(noun, stored), stored.catalog, version, Scene.of(asked.ids))


def _show_asked(asked: Asked, noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
    version = stored.versions[":".join(noun)]
    expand = read_expand(asked.query.at("expand"))
    scene = Scene.of(asked.ids)
    return show_experiment(_of(noun, stored), stored.catalog, version, scene, expand)


def _show_draft(asked: Asked, noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
    experiment = _of(noun, stored)
    draft = experiment.draft or experiment.current
    version = stored.versions[":".join(noun)]
    return show_iteration(experiment, draft, stored.catalog, version, Scene.of(asked.ids))


def _list(asked: Asked, catalog: Catalog, versions: Versions) -> Tree:
    scene = Scene.of(asked.ids)
    places = [Environment(scene, catalog, versions)]
    return list_experiments(asked.query, places, scene.href("experiments"))


async def _list_all(request: Request) -> Response:
    """The experiments of all environments of a project that the token reaches."""
    project = request.path_params["projectKey"]
    check_named(request, project)
    caller = authenticated(request, Scope.READ)
    spaces = spaces_of(request, project, caller.reach)
    if not spaces and not reaches(caller.reach, f"{project}/*"):
        raise Forbidden("this token does not reach into that project")
    for space in spaces or [f"{project}/production"]:
        await admit(request, Scope.READ, space)
    query = Place(dict(query_of(request, QUERY)), QUERY_PATH)
    places: list[Environment] = []
    for space in spaces:
        stored = node_of(request).served(space).stored
        scene = Scene(project, space.partition("/")[2])
        places.append(Environment(scene, stored.catalog, stored.versions))
    href = Scene(project).of_project("experiments")
    return VENDOR.shown(
        await node_of(request).run(lambda: as_json(list_experiments(query, places, href)))
    )


add(
    "POST",
    _MANY,
    "create_experiment",
    VENDOR.changing(read_create_experiment, None, _show, made=_made, status=201),
    "Create an experiment with its first iteration",
    {201: ref("Experiment")},
    body=ref("ExperimentPost"),
)
add(
    "GET",
    _MANY,
    "get_experiments",
    VENDOR.listing(_list, QUERY),
    "List the experiments of an environment",
    {200: ref("Experiments")},
    query=_LISTED,
)
add(
    "GET",
    _ALL,
    "get_experiments_any_env",
    _list_all,
    "List the experiments of all environments of a project",
    {200: ref("Experiments")},
    query=_LISTED,
)
add(
    "GET",
    _ONE,
    "get_experiment",
    VENDOR.getting(_find, _show_asked, tuple(_EXPAND)),
    "Get an experiment",
    {200: ref("Experiment"), 304: None},
    query=_EXPAND,
)
add(
    "PATCH",
    _ONE,
    "patch_experiment",
    PATCHED.changing(read_update_experiment, _find, _show),
    "Change an experiment by instructions, all of them or none",
    {200: ref("Experiment")},
    body=ref("ExperimentPatch"),
)
add(
    "POST",
    f"{_ONE}/iterations",
    "create_iteration",
    VENDOR.changing(read_create_iteration, _find, _show_draft),
    "Draft an iteration, in the place of the draft there is",
    {200: ref("Iteration")},
    body=ref("IterationInput"),
)
