"""The paths of a project's experimentation settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from allotment.change.commands import Command
from allotment.dialects.launchdarkly.links import Scene
from allotment.dialects.launchdarkly.settings import read_put_settings, show_settings
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Versions
from allotment.model.catalog import Catalog
from allotment.server.launchdarkly.api import VENDOR
from allotment.server.launchdarkly.operation import KEY, PROJECT, add
from allotment.server.launchdarkly.schemas import define, listed, open_object, ref
from allotment.server.operation import closed
from allotment.server.vendor import Noun
from allotment.store import Stored


def _show(asked: Asked, _noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
    return show_settings(stored.catalog, Scene.of(asked.ids))


def _show_now(asked: Asked, catalog: Catalog, _versions: Versions) -> Tree:
    return show_settings(catalog, Scene.of(asked.ids))


_PATH: Final = f"{PROJECT}/experimentation-settings"
_TEXT: Final = {"type": "string"}

_UNIT: Final = {"randomizationUnit": KEY, "default": {"type": "boolean"}}

define(
    {
        "RandomizationSettings": closed(
            {
                "_projectId": _TEXT,
                "_projectKey": _TEXT,
                "randomizationUnits": listed(closed(_UNIT)),
                "_links": ref("Links"),
            }
        ),
        "RandomizationSettingsPut": open_object(
            {"randomizationUnits": listed(open_object(_UNIT, "default"), minItems=1, maxItems=100)}
        ),
    }
)

add(
    "GET",
    _PATH,
    "get_experimentation_settings",
    VENDOR.listing(_show_now),
    "Get a project's randomization units",
    {200: ref("RandomizationSettings")},
)
add(
    "PUT",
    _PATH,
    "put_experimentation_settings",
    VENDOR.changing(read_put_settings, None, _show),
    "Set a project's randomization units",
    {200: ref("RandomizationSettings")},
    body=ref("RandomizationSettingsPut"),
)
