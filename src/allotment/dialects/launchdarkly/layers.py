"""Layers: experiments that share no unit, each with a reservation in an environment.

A layer is the project's; who reserves how much of it is each environment's own.
"""

from __future__ import annotations

from typing import Final

from allotment.change.commands import Command, Create, Describe, Release, Reserve
from allotment.dialects.launchdarkly.codes import invalid, taken
from allotment.dialects.launchdarkly.environments import check_environment
from allotment.dialects.launchdarkly.ids import get_experiment, get_layer
from allotment.dialects.launchdarkly.labels import read_key, read_name, read_new_description, rename
from allotment.dialects.launchdarkly.patch import read_instructions
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.given import Given
from allotment.dialects.wire.place import Place
from allotment.errors import Conflict
from allotment.model.catalog import Catalog
from allotment.model.layer import Layer
from allotment.model.limits import BUCKETS

PERCENT: Final = BUCKETS // 100

# What a layer draws by where nobody says.
_UNIT: Final = "user"


def read_create_layer(asked: Asked, catalog: Catalog) -> list[Command]:
    """The command that creates the layer, in which nothing is reserved yet.

    The vendor's call never says what a layer draws by. `randomizationUnit` is read all the same:
    answers have it, and a layer of other units than users could not be made otherwise.
    """
    body = asked.body
    unit = body.at("randomizationUnit")
    layer = Layer(
        read_key(body.at("key")),
        "",
        read_name(body.at("name")),
        read_new_description(body.at("description")),
        read_key(unit) if unit.said else _UNIT,
    )
    if layer.key in catalog.layers:
        raise taken("layer")
    return [Create(layer)]


def read_update_layer(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands of a semantic patch; what is about an environment needs the body to name it."""
    key = asked.ids["layerKey"]
    get_layer(catalog, key)

    def named(step: Place, catalog: Catalog, _given: Given) -> list[Command]:
        return rename(catalog.layers[key], step.at("name"))

    def describe(step: Place, _catalog: Catalog, _given: Given) -> list[Command]:
        return [Describe("layer", key, read_new_description(step.at("description")))]

    def reserve(step: Place, catalog: Catalog, _given: Given) -> list[Command]:
        check_environment(asked.body)
        experiment = get_experiment(catalog, step.at("experimentKey").text(1, 256))
        percent = step.at("reservationPercent").whole(0, 100)
        return [Reserve(key, experiment.key, percent * PERCENT)]

    def remove(step: Place, catalog: Catalog, _given: Given) -> list[Command]:
        check_environment(asked.body)
        experiment = get_experiment(catalog, step.at("experimentKey").text(1, 256))
        return [Release(experiment.key)] if experiment.layer == key else []

    kinds = {
        "updateName": named,
        "updateDescription": describe,
        "updateExperimentReservation": reserve,
        "removeExperiment": remove,
    }
    try:
        return read_instructions(asked.body, kinds, catalog, asked.given)
    except Conflict as error:
        # Of a layer, 409 would say that somebody else was changing it, and to try again.
        raise invalid(error.message, error.path) from None
