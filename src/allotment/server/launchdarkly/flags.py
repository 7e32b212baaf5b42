"""The paths of flags: as much of them as experiments need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from allotment.change.commands import Command
from allotment.dialects.launchdarkly.flags import read_create_flag, read_delete_flag
from allotment.dialects.launchdarkly.flags_patch import read_update_flag
from allotment.dialects.launchdarkly.flags_pointers import as_semantic
from allotment.dialects.launchdarkly.flags_shown import (
    QUERY,
    read_environments,
    show_flag,
    show_flags,
)
from allotment.dialects.launchdarkly.ids import get_flag
from allotment.dialects.launchdarkly.links import Scene
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Versions
from allotment.model.catalog import Catalog
from allotment.server.conditional import tree_of
from allotment.server.launchdarkly.api import VENDOR, is_semantic
from allotment.server.launchdarkly.operation import BASE, WINDOW, add
from allotment.server.launchdarkly.project import created, patching, project_of, space_having
from allotment.server.launchdarkly.schemas import ref
from allotment.server.vendor import Ids, Noun, Show, Vendor
from allotment.store import Stored


def _showing(request: Request) -> Show:
    """Shows a flag with what is so in every environment of the project, or in those asked for."""

    def show(asked: Asked, noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
        project = project_of(request, stored)
        shown_in = read_environments(asked.query, project)
        return show_flag(stored.catalog.flags[noun[1]], project, Scene.of(asked.ids), shown_in)

    return show


def _find(ids: Ids, catalog: Catalog) -> Noun:
    return ("flag", get_flag(catalog, ids["flagKey"]).key)


def _vendor(request: Request) -> Vendor:
    """For calls about one flag, which may be in another environment than the usual one."""
    space = space_having(request, "flag", request.path_params["flagKey"])
    return replace(VENDOR, space=lambda _request: space)


async def create_flag(request: Request) -> Response:
    """Makes a flag in all environments of the project."""
    show = _showing(request)
    return await VENDOR.changing(read_create_flag, None, show, made=created, status=201)(request)


async def list_flags(request: Request) -> Response:
    """The flags of the project."""

    def show(asked: Asked, _catalog: Catalog, _versions: Versions) -> Tree:
        return show_flags(project_of(request), asked.query, Scene.of(asked.ids))

    return await VENDOR.listing(show, QUERY)(request)


async def get_one(request: Request) -> Response:
    """A flag of the project."""
    return await _vendor(request).getting(_find, _showing(request), ("env",))(request)


async def update_flag(request: Request) -> Response:
    """Changes the flag; whether it is on, in the environment that the body names."""
    vendor = await patching(request, "flag", request.path_params["flagKey"], _patch_of)
    show = _showing(request)
    known = ("env", "ignoreConflicts")
    return await vendor.changing(read_update_flag, _find, show, known=known)(request)


async def delete_flag(request: Request) -> Response:
    """Deletes the flag from all environments of the project."""
    return await _vendor(request).changing(read_delete_flag, _find, None, status=204)(request)


async def _patch_of(request: Request) -> Tree:
    """A semantic patch, or what a JSON patch says as one."""
    body = await tree_of(request)
    if is_semantic(request):
        return body
    lenient = request.app.state.settings.launchdarkly_lenient
    if lenient and isinstance(body, dict) and "instructions" in body:
        return body
    return as_semantic(body)


_FLAGS: Final = f"{BASE}/flags/{{projectKey}}"
_FLAG: Final = f"{_FLAGS}/{{flagKey}}"
_TEXT: Final = {"type": "string"}

add(
    "POST",
    _FLAGS,
    "post_feature_flag",
    create_flag,
    "Create a flag",
    {201: ref("Flag")},
    body=ref("FlagPost"),
)
add(
    "GET",
    _FLAGS,
    "get_feature_flags",
    list_flags,
    "List flags",
    {200: ref("Flags")},
    query={**WINDOW, **dict.fromkeys(QUERY[2:], _TEXT)},
)
add(
    "GET",
    _FLAG,
    "get_feature_flag",
    get_one,
    "Get a flag",
    {200: ref("Flag"), 304: None},
    query={"env": _TEXT},
)
add(
    "PATCH",
    _FLAG,
    "patch_feature_flag",
    update_flag,
    "Change a flag, or switch it in an environment",
    {200: ref("Flag")},
    query={"env": _TEXT, "ignoreConflicts": {"type": "boolean"}},
    body=ref("FlagPatch"),
)
add("DELETE", _FLAG, "delete_feature_flag", delete_flag, "Delete a flag", {204: None})
