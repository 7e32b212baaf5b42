"""LaunchDarkly's API: the operations of the dialect at the paths of the vendor."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.routing import Match
from starlette.types import Scope as AsgiScope

from allotment.change.kinds import nouns_of
from allotment.change.lifecycle import Policy
from allotment.dialects.launchdarkly.codes import LDError, invalid, missing
from allotment.dialects.launchdarkly.flag_patch import LDFlagPatch, as_semantic
from allotment.dialects.launchdarkly.operations import OPERATIONS
from allotment.dialects.launchdarkly.patch import PARAMETER, LDPatch, comment_of
from allotment.dialects.launchdarkly.state import LDState, Project, Scene
from allotment.dialects.wire.operation import Changing
from allotment.dialects.wire.source import Tree
from allotment.errors import InvalidInput
from allotment.model.text import check_key
from allotment.server.api.mount import Api, mount
from allotment.server.api.vendor_errors import JSON
from allotment.server.auth.access import Caller, reaches
from allotment.server.http.requests import header, media_of
from allotment.server.writes.change import authenticated, node_of, tree_of
from allotment.store import Scope, Stored
from allotment.store.schema import DEFAULT_SPACE

_OVERRIDE: Final = b"x-http-method-override"
_TUNNELLED: Final = ("PATCH", "PUT", "DELETE")


class TunnelledRoute(APIRoute):
    """A route that a POST also reaches whose `X-HTTP-Method-Override` names the route's method.

    The vendor has it for networks that let nothing else through.
    """

    def matches(self, scope: AsgiScope) -> tuple[Match, AsgiScope]:
        """Whether the route answers the request, as the method that is meant."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return super().matches(scope)
        meant = (header(scope["headers"], _OVERRIDE) or b"").decode("latin-1").upper()
        if meant not in _TUNNELLED:
            return super().matches(scope)
        match, found = super().matches({**scope, "method": meant})
        return match, {**found, "method": meant}


# The spaces that a path is about: an environment, or all environments of a project.


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
    found: dict[str, Stored] = {}
    for name in spaces_of(request, project, reach):
        each = node_of(request).served(name).stored
        if stored is not None and stored.space == name:
            each = stored
        found[name.partition("/")[2]] = each
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


def _space(request: Request) -> str | None:
    """The space that a path names; of what is a whole project's, a space that has it."""
    ids = request.path_params
    if "projectKey" not in ids:
        return None
    for kind in ("layer", "flag"):
        if f"{kind}Key" in ids and "environmentKey" not in ids:
            return space_having(request, kind, ids[f"{kind}Key"])
    return space_of(request)


def _named(request: Request, operation: Changing, tree: Tree) -> str | None:
    """The space that a patch of what is a whole project's is about, where it names one."""
    if operation.method != "PATCH" or "environmentKey" in operation.ids:
        return None
    key = tree.get("environmentKey") if isinstance(tree, dict) else None
    project = request.path_params["projectKey"]
    return None if key is None else f"{project}/{check_key(key, '$.environmentKey')}"


def _is_semantic(request: Request) -> bool:
    """Whether the content type says that the body is a semantic patch."""
    name, _, value = PARAMETER.partition("=")
    return media_of(request).parameters.get(name, "").lower() == value


async def _patch_of(request: Request) -> Tree:
    """The body of a semantic patch, once its content type says that it is one.

    With `launchdarkly_lenient` it need not say so: the vendor's own examples do not.
    """
    if not request.app.state.settings.launchdarkly_lenient and not _is_semantic(request):
        message = f"without `; {PARAMETER}` in the content type this is read as a JSON patch"
        raise invalid(f"{message}, which there is none of here", "headers.Content-Type")
    return await tree_of(request)


async def _tree(request: Request, operation: Changing) -> Tree:
    if operation.body is LDFlagPatch and not _is_semantic(request):
        return await _flag_patch(request)
    is_patch = operation.body is not None and issubclass(operation.body, LDPatch)
    return await (_patch_of if is_patch else tree_of)(request)


async def _flag_patch(request: Request) -> Tree:
    """What a JSON patch of a flag says as a semantic patch; one that does not say that it is."""
    tree = await tree_of(request)
    lenient = request.app.state.settings.launchdarkly_lenient
    if lenient and isinstance(tree, dict) and "instructions" in tree:
        return tree
    return as_semantic(tree)


def _state(request: Request, caller: Caller, stored: Stored) -> LDState:
    def reached() -> Project:
        return environments_of(request, caller.reach, stored)

    project, _, environment = caller.space.partition("/")
    ids = {"projectKey": project, "environmentKey": environment, **request.path_params}
    scene = Scene.of(request.path_params or ids)
    return LDState(scene, stored.catalog, stored.versions, reached, (caller.who, caller.name))


API: Final = Api(
    "launchdarkly",
    Policy.LAUNCHDARKLY,
    "/api/v2",
    JSON,
    LDError,
    space=_space,
    named=_named,
    tree=_tree,
    comment=comment_of,
    state=_state,
    route_class=TunnelledRoute,
)
router: Final[APIRouter] = mount(API, OPERATIONS)
