"""Layers: experiments that share no unit, each with a reservation in an environment.

A layer is the project's. What each experiment reserves of it is its environment's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from allotment.change.commands import Command, Create, Release, Reserve
from allotment.dialects.launchdarkly.codes import invalid, taken
from allotment.dialects.launchdarkly.fields import (
    TEXT_MAX,
    UNIT,
    Description,
    Key,
    LDBody,
    Moment,
    Name,
    Percent,
    Word,
)
from allotment.dialects.launchdarkly.ids import by_key, get
from allotment.dialects.launchdarkly.patch import (
    SOME,
    LDPatch,
    LDUpdateDescription,
    LDUpdateName,
    follow,
)
from allotment.dialects.launchdarkly.state import LDPage, LDState, links_to
from allotment.dialects.wire.model import LEFT_OUT, Body, Model
from allotment.dialects.wire.operation import Call, Noun
from allotment.errors import Conflict
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.layer import Layer, Reservation
from allotment.model.limits import BUCKETS
from allotment.model.slots import size

_PERCENT: Final = BUCKETS // 100

# Changes.


class LDLayerPost(LDBody):
    """The body that creates a layer.

    The vendor's call never says what a layer draws by. `randomizationUnit` is read all the same:
    answers have it, and a layer of other units than users could not be made otherwise.
    """

    key: Key
    name: Name
    description: Description
    randomizationUnit: Key | None = LEFT_OUT


class LDRenameLayer(LDUpdateName):
    """Names the layer."""

    value: Name = Field(alias="name")


class LDDescribeLayer(LDUpdateDescription):
    """Describes the layer."""

    value: Description = Field(alias="description")


class LDReserve(LDBody):
    """Reserves a part of the layer for an experiment of an environment."""

    kind: Literal["updateExperimentReservation"]
    experimentKey: Word
    reservationPercent: Percent


class LDRelease(LDBody):
    """Takes an experiment of an environment from the layer."""

    kind: Literal["removeExperiment"]
    experimentKey: Word


LDLayerStep = LDRenameLayer | LDDescribeLayer | LDReserve | LDRelease


class LDLayerPatch(LDPatch):
    """The instructions that change a layer."""

    environmentKey: Key | None = LEFT_OUT
    instructions: Annotated[list[Annotated[LDLayerStep, Field(discriminator="kind")]], SOME]


def create_layer(call: Call[LDLayerPost], catalog: Catalog) -> list[Command]:
    """Create a layer in all environments of the project; nothing is reserved in it yet."""
    body = call.body
    if body.key in catalog.layers:
        raise taken("layer")
    unit = body.randomizationUnit or UNIT
    return [Create(Layer(body.key, "", body.name, body.description, unit))]


def update_layer(call: Call[LDLayerPatch], catalog: Catalog) -> list[Command]:
    """Change a layer, and what experiments reserve of it in the environment of the body."""
    layer, body = by_key("layer")(call.ids, catalog), call.body

    def read(step: LDReserve | LDRelease, _path: str, catalog: Catalog) -> list[Command]:
        if body.environmentKey is None:
            message = "this instruction is about an environment; name it"
            raise invalid(message, "$.environmentKey")
        experiment = get("experiment", catalog.experiments, step.experimentKey)
        if isinstance(step, LDReserve):
            return [Reserve(layer.key, experiment.key, step.reservationPercent * _PERCENT)]
        return [Release(experiment.key)] if experiment.layer == layer.key else []

    try:
        return follow(body.instructions, layer, read, catalog)
    except Conflict as error:
        # For a layer, 409 would say that another change was under way, and to try again.
        raise invalid(error.message, error.path) from None


# Views.


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


_FILTER: Final = re.compile(r"reservations\.experimentKey contains ([A-Za-z0-9][A-Za-z0-9._-]*)\Z")


def _experiment_key(text: str) -> str:
    found = _FILTER.match(text)
    if found is None:
        raise ValueError("the one filter of layers is `reservations.experimentKey contains KEY`")
    return found[1]


class LDLayerQuery(Body):
    """The query of the list of layers: those with a reservation of an experiment."""

    filter: Annotated[
        Annotated[str, Field(min_length=1, max_length=TEXT_MAX), AfterValidator(_experiment_key)]
        | None,
        Field(description="`reservations.experimentKey contains KEY`"),
    ] = LEFT_OUT


def show_layer(state: LDState, noun: Noun) -> LDLayer:
    """A layer; an environment that lacks it reserves nothing in it."""
    return _show(state.catalog.layers[noun.key], state)


def get_layers(query: LDLayerQuery, state: LDState) -> LDPage[LDLayer]:
    """The layers of the project by key, or those that an experiment has a reservation in."""
    catalogs = [each.catalog for each in state.project.values()]
    layers = {key: layer for each in catalogs for key, layer in each.layers.items()}
    member = query.filter
    items = [
        _show(layers[key], state)
        for key in sorted(layers)
        if member is None or _is_in(key, member, catalogs)
    ]
    href = state.scene.of_project("layers")
    return LDPage(items=items, totalCount=len(items), _links=links_to(self=href))


def _show(layer: Layer, state: LDState) -> LDLayer:
    return LDLayer(
        key=layer.key,
        name=layer.name or layer.key,
        description=layer.description,
        createdAt=state.created_at(f"layer:{layer.key}"),
        randomizationUnit=layer.unit,
        environments={
            name: LDLayerEnvironment(reservations=_reservations(layer.key, each.catalog))
            for name, each in state.project.items()
        },
    )


def _is_in(layer: str, experiment: str, catalogs: Iterable[Catalog]) -> bool:
    found = (catalog.experiments.get(experiment) for catalog in catalogs)
    return any(one is not None and one.layer == layer for one in found)


def _reservations(key: str, catalog: Catalog) -> list[LDLayerReservation]:
    layer = catalog.layers.get(key)
    return [
        LDLayerReservation(
            experimentKey=each.experiment,
            flagKey=_flag_of(catalog.experiments[each.experiment]),
            reservationPercent=_in_percent([each]),
        )
        for each in (layer.reservations if layer else ())
    ]


def _in_percent(reservations: Iterable[Reservation]) -> int:
    """The nearest whole percent, where another API reserved parts of one."""
    buckets = sum(size(one.ranges) for one in reservations)
    return (buckets + _PERCENT // 2) // _PERCENT


def _flag_of(experiment: Experiment) -> str:
    """The flag that the experiment's treatments set first; "" where they set none."""
    flags = (flag for one in experiment.current.treatments for flag, _ in one.sets)
    return next(flags, "")


# What an experiment has of its layer.


class LDLayerSnapshot(Model):
    """What an iteration had of its layer."""

    key: str
    name: str
    reservationPercent: int
    otherReservationPercent: int


def snapshot_of(experiment: Experiment, catalog: Catalog) -> LDLayerSnapshot | None:
    """What an experiment has of its layer now; None where it is in none."""
    layer = catalog.layers.get(experiment.layer) if experiment.layer is not None else None
    if layer is None:
        return None
    own = [one for one in layer.reservations if one.experiment == experiment.key]
    others = [one for one in layer.reservations if one.experiment != experiment.key]
    return LDLayerSnapshot(
        key=layer.key,
        name=layer.name or layer.key,
        reservationPercent=_in_percent(own),
        otherReservationPercent=_in_percent(others),
    )
