"""The paths of holdouts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from allotment.change.commands import Command
from allotment.dialects.launchdarkly.codes import missing
from allotment.dialects.launchdarkly.holdouts import read_create_holdout, read_update_holdout
from allotment.dialects.launchdarkly.holdouts_shown import (
    list_holdouts,
    show_holdout,
    show_holdout_detail,
)
from allotment.dialects.launchdarkly.ids import find_holdout, get_holdout
from allotment.dialects.launchdarkly.links import Scene
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.server.launchdarkly.api import PATCHED, VENDOR
from allotment.server.launchdarkly.operation import ENVIRONMENT, WINDOW, add
from allotment.server.launchdarkly.project import created
from allotment.server.launchdarkly.schemas import ref
from allotment.server.vendor import Ids, Noun
from allotment.store import Stored


def _find(ids: Ids, catalog: Catalog) -> Noun:
    return ("holdout", get_holdout(catalog, ids["holdoutKey"]).key)


def _find_by_id(ids: Ids, catalog: Catalog) -> Noun:
    holdout = find_holdout(catalog, ids["holdoutId"]) or missing("holdout")
    return ("holdout", holdout.key)


def _show(asked: Asked, noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
    holdout, version = stored.catalog.holdouts[noun[1]], stored.versions[":".join(noun)]
    return show_holdout(holdout, stored.catalog, version, Scene.of(asked.ids))


def _show_detail(asked: Asked, noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
    holdout = stored.catalog.holdouts[noun[1]]
    return show_holdout_detail(holdout, stored.catalog, stored.versions, asked)


_HOLDOUTS: Final = f"{ENVIRONMENT}/holdouts"
_HOLDOUT: Final = f"{_HOLDOUTS}/{{holdoutKey}}"

add(
    "POST",
    _HOLDOUTS,
    "post_holdout",
    VENDOR.changing(read_create_holdout, None, _show, made=created, status=201),
    "Create a holdout",
    {201: ref("Holdout")},
    body=ref("HoldoutPost"),
)
add(
    "GET",
    _HOLDOUTS,
    "get_all_holdouts",
    VENDOR.listing(list_holdouts, WINDOW),
    "List holdouts",
    {200: ref("Holdouts")},
    query=WINDOW,
)
add(
    "GET",
    _HOLDOUT,
    "get_holdout",
    VENDOR.getting(_find, _show_detail, ("expand",)),
    "Get a holdout with the experiments under it",
    {200: ref("HoldoutDetail"), 304: None},
    query={"expand": {"type": "string"}},
)
add(
    "GET",
    f"{_HOLDOUTS}/id/{{holdoutId}}",
    "get_holdout_by_id",
    VENDOR.getting(_find_by_id, _show),
    "Get a holdout by its id",
    {200: ref("Holdout"), 304: None},
)
add(
    "PATCH",
    _HOLDOUT,
    "patch_holdout",
    PATCHED.changing(read_update_holdout, _find, _show),
    "Change a holdout",
    {200: ref("Holdout")},
    body=ref("SemanticPatch"),
)
