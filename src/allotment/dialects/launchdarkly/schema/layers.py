"""Fields of layers, and of a project's experimentation settings."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from allotment.dialects.launchdarkly.schema.fields import (
    ITEMS_MAX,
    SOME,
    TEXT_MAX,
    Description,
    Key,
    LDBody,
    LDPatch,
    Links,
    Moment,
    Name,
    Percent,
    Word,
)
from allotment.dialects.wire.model import LEFT_OUT, Body, Model

_FILTER: Final = re.compile(r"reservations\.experimentKey contains ([A-Za-z0-9][A-Za-z0-9._-]*)\Z")


def _experiment_key(text: str) -> str:
    found = _FILTER.match(text)
    if found is None:
        raise ValueError("the one filter of layers is `reservations.experimentKey contains KEY`")
    return found[1]


def _units(units: list[LDRandomizationUnitInput]) -> Any:
    if len({one.randomizationUnit for one in units}) < len(units):
        raise ValueError("a randomization unit stands here twice; keep one")
    if sum(one.default is True for one in units) > 1:
        raise ValueError("a project has one default randomization unit")
    return units


class LDLayerPost(LDBody):
    """The body that creates a layer.

    The vendor's call never says what a layer draws by. `randomizationUnit` is read all the same:
    answers have it, and a layer of other units than users could not be made otherwise.
    """

    key: Key
    name: Name
    description: Description
    randomizationUnit: Key | None = LEFT_OUT


class LDRenameLayer(LDBody):
    """Names the layer."""

    kind: Literal["updateName"]
    name: Name


class LDDescribeLayer(LDBody):
    """Describes the layer."""

    kind: Literal["updateDescription"]
    description: Description


class LDReserve(LDBody):
    """Reserves a part of the layer for an experiment of an environment."""

    kind: Literal["updateExperimentReservation"]
    experimentKey: Word
    reservationPercent: Percent


class LDRelease(LDBody):
    """Takes an experiment of an environment from the layer."""

    kind: Literal["removeExperiment"]
    experimentKey: Word


class LDLayerPatch(LDPatch):
    """The instructions that change a layer."""

    environmentKey: Key | None = LEFT_OUT
    instructions: Annotated[
        list[
            Annotated[
                LDRenameLayer | LDDescribeLayer | LDReserve | LDRelease,
                Field(discriminator="kind"),
            ]
        ],
        SOME,
    ]


class LDLayerReservation(Model):
    """What an experiment has of a layer."""

    experimentKey: str
    flagKey: str
    reservationPercent: Percent


class LDLayerEnvironment(Model):
    """What the experiments of an environment have of a layer."""

    reservations: list[LDLayerReservation]


class LDLayer(Model):
    """A layer of the project."""

    key: str
    name: str
    description: str
    createdAt: Moment
    randomizationUnit: str
    environments: dict[str, LDLayerEnvironment]


class LDLayerQuery(Body):
    """The query of the list of layers: those with a reservation of an experiment."""

    filter: Annotated[
        Annotated[str, Field(min_length=1, max_length=TEXT_MAX), AfterValidator(_experiment_key)]
        | None,
        Field(description="`reservations.experimentKey contains KEY`"),
    ] = LEFT_OUT


class LDLayers(Model):
    """The layers of a project."""

    items: list[LDLayer]
    totalCount: int
    links: Links = Field(alias="_links")


class LDRandomizationUnitInput(LDBody):
    """A kind of unit that the project randomises by."""

    randomizationUnit: Key
    default: bool | None = LEFT_OUT
    standardRandomizationUnit: Annotated[str, Field(max_length=256)] | None = LEFT_OUT


class LDSettingsPut(LDBody):
    """The body that sets a project's experimentation settings."""

    randomizationUnits: Annotated[
        list[LDRandomizationUnitInput],
        Field(min_length=1, max_length=ITEMS_MAX),
        AfterValidator(_units),
    ]


class LDRandomizationUnit(Model):
    """A kind of unit as it is shown."""

    randomizationUnit: str
    default: bool


class LDSettings(Model):
    """A project's experimentation settings."""

    project_id: str = Field(alias="_projectId")
    project_key: str = Field(alias="_projectKey")
    randomizationUnits: list[LDRandomizationUnit]
    links: Links = Field(alias="_links")
