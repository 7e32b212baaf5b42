"""LaunchDarkly's API: the operations of the dialect at the paths of the vendor."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.routing import Match
from starlette.types import Scope

from allotment.change.lifecycle import Policy
from allotment.dialects.launchdarkly.codes import LDError, invalid
from allotment.dialects.launchdarkly.flag_patch import LDFlagPatch, as_semantic
from allotment.dialects.launchdarkly.operations import OPERATIONS
from allotment.dialects.launchdarkly.patch import PARAMETER, LDPatch, comment_of
from allotment.dialects.launchdarkly.state import LDState, Project, Scene
from allotment.dialects.wire.operation import Changing
from allotment.dialects.wire.source import Tree
from allotment.model.text import check_key
from allotment.server.api.mount import Api, mount
from allotment.server.api.vendor_errors import JSON
from allotment.server.auth.access import Caller
from allotment.server.http.requests import header, media_of
from allotment.server.launchdarkly.spaces import environments_of, space_having, space_of
from allotment.server.writes.change import tree_of
from allotment.store import Stored

_OVERRIDE: Final = b"x-http-method-override"
_TUNNELLED: Final = ("PATCH", "PUT", "DELETE")


class TunnelledRoute(APIRoute):
    """A route that a POST also reaches whose `X-HTTP-Method-Override` names the route's method.

    The vendor has it for networks that let nothing else through.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the route answers the request, as the method that is meant."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return super().matches(scope)
        meant = (header(scope["headers"], _OVERRIDE) or b"").decode("latin-1").upper()
        if meant not in _TUNNELLED:
            return super().matches(scope)
        match, found = super().matches({**scope, "method": meant})
        return match, {**found, "method": meant}


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
