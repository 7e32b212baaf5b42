"""What is a whole project's: found in any of its spaces, and shown with what each of them has."""

from __future__ import annotations

from starlette.requests import Request

from allotment.change.kinds import nouns_of
from allotment.dialects.launchdarkly.state import Environment, Project
from allotment.server.launchdarkly.api import space_of, spaces_of
from allotment.server.writes.change import authenticated, node_of
from allotment.store import Scope, Stored


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
