"""The paths of layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from allotment.change.commands import Command
from allotment.dialects.launchdarkly.ids import get_layer
from allotment.dialects.launchdarkly.layers import read_create_layer, read_update_layer
from allotment.dialects.launchdarkly.layers_shown import show_layer, show_layers
from allotment.dialects.launchdarkly.links import Scene
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Versions
from allotment.model.catalog import Catalog
from allotment.model.limits import NAME_CHARACTERS_MAX, TEXT_CHARACTERS_MAX
from allotment.server.launchdarkly.api import VENDOR, patch_of
from allotment.server.launchdarkly.operation import KEY, PROJECT, add
from allotment.server.launchdarkly.project import created, patching, project_of
from allotment.server.launchdarkly.schemas import define, listed, mapped, open_object, ref
from allotment.server.operation import closed
from allotment.server.vendor import Ids, Noun, Show
from allotment.store import Stored

_TEXT: Final = {"type": "string"}
_NAME: Final = {**_TEXT, "minLength": 1, "maxLength": NAME_CHARACTERS_MAX}
_LONG: Final = {**_TEXT, "maxLength": TEXT_CHARACTERS_MAX}
_COUNT: Final = {"type": "integer", "minimum": 0}


def _showing(request: Request) -> Show:
    """Shows a layer with the reservations that all environments of the project have in it."""

    def show(_asked: Asked, noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
        return show_layer(stored.catalog.layers[noun[1]], project_of(request, stored))

    return show


async def create_layer(request: Request) -> Response:
    """Makes a layer in all environments of the project."""
    endpoint = VENDOR.changing(read_create_layer, None, _showing(request), made=created, status=201)
    return await endpoint(request)


async def list_layers(request: Request) -> Response:
    """The layers of the project."""

    def show(asked: Asked, _catalog: Catalog, _versions: Versions) -> Tree:
        return show_layers(
            project_of(request), asked.query, Scene.of(asked.ids).of_project("layers")
        )

    return await VENDOR.listing(show, ("filter",))(request)


async def update_layer(request: Request) -> Response:
    """Changes the layer; its reservations in the environment that the body names."""
    vendor = await patching(request, "layer", request.path_params["layerKey"], patch_of)
    return await vendor.changing(read_update_layer, _find, _showing(request))(request)


def _find(ids: Ids, catalog: Catalog) -> Noun:
    return ("layer", get_layer(catalog, ids["layerKey"]).key)


define(
    {
        "Layer": closed(
            {
                "key": _TEXT,
                "name": _TEXT,
                "description": _TEXT,
                "createdAt": _COUNT,
                "randomizationUnit": _TEXT,
                "environments": mapped(closed({"reservations": listed(ref("LayerReservation"))})),
            }
        ),
        "LayerReservation": closed(
            {
                "experimentKey": _TEXT,
                "flagKey": _TEXT,
                "reservationPercent": {"type": "integer", "minimum": 0, "maximum": 100},
            }
        ),
        "Layers": closed(
            {"items": listed(ref("Layer")), "totalCount": _COUNT, "_links": ref("Links")}
        ),
        "LayerPost": open_object(
            {"key": KEY, "name": _NAME, "description": _LONG, "randomizationUnit": KEY},
            "randomizationUnit",
        ),
    }
)

_LAYERS: Final = f"{PROJECT}/layers"

add(
    "POST",
    _LAYERS,
    "create_layer",
    create_layer,
    "Create a layer",
    {201: ref("Layer")},
    body=ref("LayerPost"),
)
add(
    "GET",
    _LAYERS,
    "get_layers",
    list_layers,
    "List layers",
    {200: ref("Layers")},
    query={"filter": {**_TEXT, "description": "`reservations.experimentKey contains KEY`"}},
)
add(
    "PATCH",
    f"{_LAYERS}/{{layerKey}}",
    "update_layer",
    update_layer,
    "Change a layer, and who reserves how much of it in an environment",
    {200: ref("Layer")},
    body=ref("SemanticPatch"),
)
