"""The spaces that a path is about: an environment, or all environments of a project."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from allotment.change.kinds import nouns_of
from allotment.dialects.launchdarkly.codes import invalid, missing
from allotment.dialects.launchdarkly.patch import PARAMETER
from allotment.dialects.launchdarkly.state import Environment, Project
from allotment.dialects.wire.source import Tree
from allotment.errors import InvalidInput
from allotment.model.text import check_key
from allotment.server.auth.access import reaches
from allotment.server.http.problems import RENDERERS
from allotment.server.http.requests import media_of
from allotment.server.launchdarkly.errors import show_error
from allotment.server.writes.change import authenticated, node_of, tree_of
from allotment.store import Scope, Stored
from allotment.store.schema import DEFAULT_SPACE

# All that the vendor has under `/api/v2/`, served here or not: its clients read no other errors.
# Auth0 has `roles` and `users` too, of which nothing is served for either.
_FIRST_STEPS: Final = (
    *("account", "announcements", "applications", "approval-requests", "auditlog"),
    *("caller-identity", "code-refs", "destinations", "engineering-insights", "flag-links"),
    *("flag-status", "flag-statuses", "flags", "integration-capabilities"),
    *("integration-configurations", "integrations", "members", "metrics", "oauth"),
    *("openapi.json", "projects", "public-ip-list", "roles", "segments", "tags", "teams"),
    *("templates", "tokens", "usage", "user-search", "users", "versions", "webhooks"),
)
for _step in _FIRST_STEPS:
    RENDERERS[f"/api/v2/{_step}"] = show_error
RENDERERS["/api/v2"] = show_error


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
    """Raise the 404, for whoever is let in, unless all of these could name a part of a space."""
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


def is_semantic(request: Request) -> bool:
    """Whether the content type says that the body is a semantic patch."""
    name, _, value = PARAMETER.partition("=")
    return media_of(request).parameters.get(name, "").lower() == value


async def patch_of(request: Request) -> Tree:
    """The body of a semantic patch, once its content type says that it is one.

    With `launchdarkly_lenient` it need not say so: the vendor's own examples do not.
    """
    if not request.app.state.settings.launchdarkly_lenient and not is_semantic(request):
        message = f"without `; {PARAMETER}` in the content type this is read as a JSON patch"
        raise invalid(f"{message}, which there is none of here", "headers.Content-Type")
    return await tree_of(request)


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
