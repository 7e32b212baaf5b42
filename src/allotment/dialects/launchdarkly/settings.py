"""The experimentation settings of a project: by which kinds of unit it randomises.

They decide nothing here, as every experiment, layer and holdout says its own kind of unit; so they
are kept with the catalogs of the project, and given back.
"""

from __future__ import annotations

from typing import Final

from allotment.change.commands import Command
from allotment.dialects.launchdarkly.ids import id_of
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.labels import read_key
from allotment.dialects.launchdarkly.links import Scene, links
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog

PATH: Final = "experimentation-settings"

_UNITS: Final = "randomizationUnits"
_UNITS_MAX: Final = 100
_DEFAULT: Final[Tree] = [{"randomizationUnit": "user", "default": True}]


def read_put_settings(asked: Asked, _catalog: Catalog) -> list[Command]:
    """The command that keeps the settings."""
    place = asked.body.at(_UNITS)
    units = [_read_unit(each) for each in place.items(1, _UNITS_MAX)]
    if len({unit["randomizationUnit"] for unit in units}) < len(units):
        raise place.refusal("a randomization unit stands here twice; keep one")
    if sum(unit["default"] is True for unit in units) > 1:
        raise place.refusal("a project has one default randomization unit")
    return [NOTES.keep("catalog", "catalog", PATH, [*units])]


def show_settings(catalog: Catalog, scene: Scene) -> dict[str, Tree]:
    """The settings as they were put; until then there are users, the default."""
    units = NOTES.kept(catalog, PATH)
    return {
        "_projectId": id_of("project", scene.project),
        "_projectKey": scene.project,
        _UNITS: _DEFAULT if units is None else units,
        "_links": links(self=scene.of_project(PATH)),
    }


def _read_unit(place: Place) -> dict[str, Tree]:
    default = place.at("default")
    if place.at("standardRandomizationUnit").said:
        place.at("standardRandomizationUnit").text(0, 256)
    return {
        "randomizationUnit": read_key(place.at("randomizationUnit")),
        "default": default.truth() if default.said else False,
    }
