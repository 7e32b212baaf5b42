"""The spaces that a path is about: an environment, or all environments of a project."""

from __future__ import annotations

from starlette.requests import Request

from allotment.change.kinds import nouns_of
from allotment.dialects.launchdarkly.codes import missing
from allotment.dialects.launchdarkly.state import Environment, Project
from allotment.errors import InvalidInput
from allotment.model.text import check_key
from allotment.server.auth.access import reaches
from allotment.server.writes.change import authenticated, node_of
from allotment.store import Scope, Stored
from allotment.store.schema import DEFAULT_SPACE


def space_of(request: Request) -> str:
    """The space that a path names: a project's environment.

    A path that names only a project is about what all its spaces have: then it is the space that
    the token or its header means, if that is one of the project's, else the first that it reaches.
    """
    project = request.path_params["projectKey"]
    environment = request.path_params.get("environmentKey")
    check_named(request, project, environment or project)
    if environment is not None:
        return f"{project}/{environment}"
    caller = authenticated(request, Scope.READ)
    spaces = spaces_of(request, project, caller.reach)
    if caller.space in spaces or not spaces:
        return caller.space if spaces else f"{project}/{DEFAULT_SPACE.partition('/')[2]}"
    return spaces[0]


def check_named(request: Request, *keys: str) -> None:
    """Raise the 404 to a known caller unless all of these could name a part of a space."""
    try:
        for key in keys:
            check_key(key, "path")
    except InvalidInput:
        authenticated(request, Scope.READ)
        missing("environment")


def spaces_of(request: Request, project: str, reach: str) -> list[str]:
    """The project's spaces that are served and that the pattern reaches, by name."""
    named = (name for name in node_of(request).spaces if name.partition("/")[0] == project)
    return sorted(name for name in named if reaches(reach, name))


def environments_of(request: Request, reach: str, stored: Stored | None = None) -> Project:
    """The environments of the path's project that a caller reaches, as they are served.

    `stored` stands for the one that has just been changed.
    """
    project = request.path_params["projectKey"]
    found = {}
    for name in spaces_of(request, project, reach):
        each = node_of(request).served(name).stored
        if stored is not None and stored.space == name:
            each = stored
        found[name.partition("/")[2]] = Environment(each.catalog, each.versions)
    return found


def space_having(request: Request, kind: str, key: str) -> str:
    """The space in which a noun of the project is found: the usual one, unless only another has it.

    A vendor's calls make such a noun in all spaces of a project; ours and imports in one.
    """
    usual = space_of(request)
    project = request.path_params["projectKey"]
    reach = authenticated(request, Scope.READ, usual).reach
    having = [
        f"{project}/{name}"
        for name, each in environments_of(request, reach).items()
        if key in nouns_of(each.catalog, kind)
    ]
    return having[0] if having and usual not in having else usual
