"""Layers as they are shown: once for the project, with the reservations of each environment."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from allotment.dialects.launchdarkly.environments import Environment, Project, created_at
from allotment.dialects.launchdarkly.layers import PERCENT
from allotment.dialects.launchdarkly.links import link
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.layer import Layer, Reservation
from allotment.model.slots import size

_FILTER: Final = re.compile(r"reservations\.experimentKey contains ([A-Za-z0-9][A-Za-z0-9._-]*)\Z")


def show_layer(layer: Layer, project: Project) -> dict[str, Tree]:
    """The layer as this API spells it; an environment that lacks it reserves nothing in it."""
    environments: dict[str, Tree] = {
        name: {"reservations": _reservations(each.catalog.layers.get(layer.key), each.catalog)}
        for name, each in project.items()
    }
    return {
        "key": layer.key,
        "name": layer.name or layer.key,
        "description": layer.description,
        "createdAt": created_at("layer", layer.key, project),
        "randomizationUnit": layer.unit,
        "environments": environments,
    }


def show_layers(project: Project, query: Place, path: str) -> dict[str, Tree]:
    """All layers of the project by key, or those with a reservation of the filter's experiment."""
    layers = {key: layer for each in project.values() for key, layer in each.catalog.layers.items()}
    keys = sorted(layers)
    if query.at("filter").said:
        member = _read_filter(query.at("filter"))
        keys = [key for key in keys if _reserves(project.values(), key, member)]
    items: list[Tree] = [show_layer(layers[key], project) for key in keys]
    return {"items": items, "totalCount": len(items), "_links": {"self": link(path)}}


def _read_filter(place: Place) -> str:
    found = _FILTER.match(place.text(1, 1024))
    if found is None:
        raise place.refusal("the one filter of layers is `reservations.experimentKey contains KEY`")
    return found[1]


def _reserves(environments: Iterable[Environment], key: str, member: str) -> bool:
    return any(
        each.catalog.experiments[member].layer == key
        for each in environments
        if member in each.catalog.experiments
    )


def _reservations(layer: Layer | None, catalog: Catalog) -> list[Tree]:
    return [
        {
            "experimentKey": each.experiment,
            "flagKey": flag_of(catalog.experiments[each.experiment]),
            "reservationPercent": _percent(each),
        }
        for each in (layer.reservations if layer else ())
    ]


def _percent(reservation: Reservation) -> int:
    """Whole percent; the nearest, where another API reserved parts of one."""
    return (size(reservation.ranges) + PERCENT // 2) // PERCENT


def flag_of(experiment: Experiment) -> str:
    """The flag that the experiment's treatments set first; "" where they set none."""
    flags = (flag for one in experiment.current.treatments for flag, _ in one.sets)
    return next(flags, "")
