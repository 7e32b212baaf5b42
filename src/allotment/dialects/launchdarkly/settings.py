"""The experimentation settings of a project: by which kinds of unit it randomises.

They decide nothing here, as every experiment, layer and holdout says its own kind of unit. They are
stored with the catalogs of the project, and given back.
"""

from __future__ import annotations

from typing import Final

from pydantic import TypeAdapter

from allotment.change.commands import Command
from allotment.dialects.launchdarkly.ids import id_of
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.links import links_to
from allotment.dialects.launchdarkly.schema.layers import (
    LDRandomizationUnit,
    LDSettings,
    LDSettingsPut,
)
from allotment.dialects.launchdarkly.state import LDState
from allotment.dialects.wire.notes import shown_as
from allotment.dialects.wire.operation import Call, Noun
from allotment.model.catalog import Catalog

PATH: Final = "experimentation-settings"

_UNITS: Final = TypeAdapter(list[LDRandomizationUnit])


def put_experimentation_settings(call: Call[LDSettingsPut], _catalog: Catalog) -> list[Command]:
    """Set the kinds of unit that a project randomises by."""
    units = [
        LDRandomizationUnit(randomizationUnit=one.randomizationUnit, default=one.default is True)
        for one in call.body.randomizationUnits
    ]
    return [NOTES.keep("catalog", "catalog", PATH, [one.plain() for one in units])]


def get_experimentation_settings(state: LDState, _noun: Noun) -> LDSettings:
    """The kinds of unit as they were put; until then there are users, the default."""
    usual = [LDRandomizationUnit(randomizationUnit="user", default=True)]
    return LDSettings(
        _projectId=id_of("project", state.scene.project),
        _projectKey=state.scene.project,
        randomizationUnits=shown_as(_UNITS, NOTES.kept(state.catalog, PATH), usual),
        _links=links_to(self=state.scene.of_project(PATH)),
    )
