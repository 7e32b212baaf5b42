"""Layers: experiments that share no unit, each with a reservation in an environment.

A layer is the project's. What each experiment reserves of it is its environment's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from allotment.change.commands import Command, Create, Describe, Release, Reserve
from allotment.dialects.launchdarkly.codes import invalid, taken
from allotment.dialects.launchdarkly.ids import get_experiment, get_layer
from allotment.dialects.launchdarkly.links import links_to
from allotment.dialects.launchdarkly.patch import follow, renamed
from allotment.dialects.launchdarkly.schema.layers import (
    LDDescribeLayer,
    LDLayer,
    LDLayerEnvironment,
    LDLayerPatch,
    LDLayerPost,
    LDLayerQuery,
    LDLayerReservation,
    LDLayers,
    LDRelease,
    LDRenameLayer,
    LDReserve,
)
from allotment.dialects.launchdarkly.state import LDState
from allotment.dialects.wire.operation import Call, Noun
from allotment.errors import Conflict
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.layer import Layer, Reservation
from allotment.model.limits import BUCKETS
from allotment.model.slots import size

PERCENT: Final = BUCKETS // 100

# What a layer draws by where the request does not say.
_UNIT: Final = "user"

_Instruction = LDRenameLayer | LDDescribeLayer | LDReserve | LDRelease


def create_layer(call: Call[LDLayerPost], catalog: Catalog) -> list[Command]:
    """Create a layer in all environments of the project; nothing is reserved in it yet."""
    body = call.body
    if body.key in catalog.layers:
        raise taken("layer")
    unit = body.randomizationUnit or _UNIT
    return [Create(Layer(body.key, "", body.name, body.description, unit))]


def update_layer(call: Call[LDLayerPatch], catalog: Catalog) -> list[Command]:
    """Change a layer, and what experiments reserve of it in the environment of the body."""
    key, body = get_layer(catalog, call.ids["layerKey"]).key, call.body

    def read(step: _Instruction, catalog: Catalog) -> list[Command]:
        match step:
            case LDRenameLayer():
                return renamed(catalog.layers[key], step.name)
            case LDDescribeLayer():
                return [Describe("layer", key, step.description)]
        if body.environmentKey is None:
            message = "this instruction is about an environment; name it"
            raise invalid(message, "$.environmentKey")
        experiment = get_experiment(catalog, step.experimentKey)
        if isinstance(step, LDReserve):
            return [Reserve(key, experiment.key, step.reservationPercent * PERCENT)]
        return [Release(experiment.key)] if experiment.layer == key else []

    try:
        return follow(body.instructions, read, catalog)
    except Conflict as error:
        # For a layer, 409 would say that another change was under way, and to try again.
        raise invalid(error.message, error.path) from None


def show_layer(state: LDState, noun: Noun) -> LDLayer:
    """A layer; an environment that lacks it reserves nothing in it."""
    return _show(state.catalog.layers[noun.key], state)


def get_layers(query: LDLayerQuery, state: LDState) -> LDLayers:
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
    return LDLayers(items=items, totalCount=len(items), _links=links_to(self=href))


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
            flagKey=flag_of(catalog.experiments[each.experiment]),
            reservationPercent=in_percent([each]),
        )
        for each in (layer.reservations if layer else ())
    ]


def in_percent(reservations: Iterable[Reservation]) -> int:
    """The nearest whole percent, where another API reserved parts of one."""
    buckets = sum(size(one.ranges) for one in reservations)
    return (buckets + PERCENT // 2) // PERCENT


def flag_of(experiment: Experiment) -> str:
    """The flag that the experiment's treatments set first; "" where they set none."""
    flags = (flag for one in experiment.current.treatments for flag, _ in one.sets)
    return next(flags, "")
