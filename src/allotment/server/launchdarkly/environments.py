"""The paths of environments, of how flags are used in them, and of who calls."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from allotment.dialects.launchdarkly.environments_shown import (
    QUERY,
    STATUSES,
    list_environments,
    show_environment,
    show_status,
    show_status_across,
    show_statuses,
)
from allotment.dialects.launchdarkly.flags_shown import read_environments
from allotment.dialects.launchdarkly.ids import get_flag, id_of
from allotment.dialects.launchdarkly.links import Scene
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Versions
from allotment.model.catalog import Catalog
from allotment.server.answer import as_json
from allotment.server.conditional import admit, authenticated
from allotment.server.launchdarkly.api import VENDOR, space_of, spaces_of
from allotment.server.launchdarkly.operation import BASE, ENVIRONMENT, PROJECT, WINDOW, add
from allotment.server.launchdarkly.project import project_of
from allotment.server.launchdarkly.schemas import define, enum, listed, mapped, ref
from allotment.server.operation import closed
from allotment.server.requests import query_of
from allotment.store import Scope


async def list_all(request: Request) -> Response:
    """The environments of the project that the token reaches."""

    def show(asked: Asked, _catalog: Catalog, _versions: Versions) -> Tree:
        project = request.path_params["projectKey"]
        reach = authenticated(request, Scope.READ, space_of(request)).reach
        keys = [space.partition("/")[2] for space in spaces_of(request, project, reach)]
        return list_environments(asked.query, keys, project)

    return await VENDOR.listing(show, QUERY)(request)


def _show_one(asked: Asked, _catalog: Catalog, _versions: Versions) -> Tree:
    return show_environment(Scene.of(asked.ids))


def _show_status(asked: Asked, catalog: Catalog, _versions: Versions) -> Tree:
    return show_status(get_flag(catalog, asked.ids["flagKey"]), Scene.of(asked.ids))


def _show_statuses(asked: Asked, catalog: Catalog, _versions: Versions) -> Tree:
    return show_statuses(catalog.flags.values(), Scene.of(asked.ids))


async def get_status_across(request: Request) -> Response:
    """How a flag is used in every environment of the project, or in those asked for."""

    def show(asked: Asked, _catalog: Catalog, _versions: Versions) -> Tree:
        project = project_of(request)
        shown_in = read_environments(asked.query, project)
        return show_status_across(asked.ids["flagKey"], project, shown_in, Scene.of(asked.ids))

    return await VENDOR.listing(show, ("env",))(request)


async def get_caller(request: Request) -> Response:
    """Who calls: the token, and the space that it means."""
    query_of(request)
    caller = await admit(request, Scope.READ)
    project, _, environment = caller.space.partition("/")
    return VENDOR.shown(
        as_json(
            {
                "authKind": "token",
                "tokenKind": "service",
                "tokenId": caller.who,
                "tokenName": caller.name,
                "serviceToken": True,
                "projectId": id_of("project", project),
                "projectName": project,
                "environmentId": id_of("environment", project, environment),
                "environmentName": environment,
            }
        )
    )


_TEXT: Final = {"type": "string"}
_TRUTH: Final = {"type": "boolean"}
_INT: Final = {"type": "integer"}
_STATUS: Final = {"name": enum(*STATUSES)}

define(
    {
        "Environment": closed(
            {
                **dict.fromkeys(("_id", "key", "name", "apiKey", "mobileKey", "color"), _TEXT),
                "defaultTtl": _INT,
                **dict.fromkeys(
                    ("secureMode", "defaultTrackEvents", "requireComments", "confirmChanges"),
                    _TRUTH,
                ),
                "critical": _TRUTH,
                "tags": listed(_TEXT),
                "_links": ref("Links"),
            }
        ),
        "Environments": closed(
            {"items": listed(ref("Environment")), "totalCount": _INT, "_links": ref("Links")}
        ),
        "FlagStatus": closed({**_STATUS, "_links": ref("Links")}),
        "FlagStatuses": closed({"items": listed(ref("FlagStatus")), "_links": ref("Links")}),
        "FlagStatusAcross": closed(
            {"key": _TEXT, "environments": mapped(closed(_STATUS)), "_links": ref("Links")}
        ),
        "CallerIdentity": closed(
            {
                **dict.fromkeys(("authKind", "tokenKind", "tokenId", "tokenName"), _TEXT),
                "serviceToken": _TRUTH,
                **dict.fromkeys(("projectId", "projectName"), _TEXT),
                **dict.fromkeys(("environmentId", "environmentName"), _TEXT),
            }
        ),
    }
)

_STATUSES: Final = f"{BASE}/flag-statuses/{{projectKey}}/{{environmentKey}}"

add(
    "GET",
    f"{PROJECT}/environments",
    "get_environments_by_project",
    list_all,
    "List the environments of a project",
    {200: ref("Environments")},
    query={**WINDOW, "filter": {**_TEXT, "description": "`query:TEXT`"}},
)
add(
    "GET",
    ENVIRONMENT,
    "get_environment",
    VENDOR.listing(_show_one),
    "Get an environment",
    {200: ref("Environment")},
)
add(
    "GET",
    _STATUSES,
    "get_feature_flag_statuses",
    VENDOR.listing(_show_statuses),
    "List how the flags of an environment are used",
    {200: ref("FlagStatuses")},
)
add(
    "GET",
    f"{_STATUSES}/{{flagKey}}",
    "get_feature_flag_status",
    VENDOR.listing(_show_status),
    "Get how a flag is used in an environment",
    {200: ref("FlagStatus")},
)
add(
    "GET",
    f"{BASE}/flag-status/{{projectKey}}/{{flagKey}}",
    "get_feature_flag_status_across_environments",
    get_status_across,
    "Get how a flag is used in each environment",
    {200: ref("FlagStatusAcross")},
    query={"env": _TEXT},
)
add(
    "GET",
    f"{BASE}/caller-identity",
    "get_caller_identity",
    get_caller,
    "Get who calls",
    {200: ref("CallerIdentity")},
)
