"""The page of one experiment: who is in it, and who gets what."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from allotment.engine.explanation import asked_in_order
from allotment.errors import NotFound, did_you_mean
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration, Treatment
from allotment.model.slots import size
from allotment.server.console.experiments import NameOf, flags_of, owner_of, state_of
from allotment.server.console.forms import offered
from allotment.server.console.iterations import Timeline, timeline
from allotment.server.console.layermap import LayerMap, layer_map
from allotment.server.console.route import Looking, PageRoute, no_query, shown
from allotment.server.console.shares import ShareBar, share_bar
from allotment.server.sync.spaces import Served
from allotment.server.writes.change import node_of
from allotment.store import Stored, Version

router: Final = APIRouter(route_class=PageRoute)

OVERRIDES_SHOWN: Final = 200

# Why there is nothing to count, by where exposures are logged.
NOWHERE: Final = {
    "off": "This server logs no exposures (the setting `exposures` is off), so there is nothing to"
    " count. `allotment srm` checks exposures that others have logged.",
    "webhook": "This server sends exposures to a webhook and keeps none, so there is nothing to"
    " count here. `allotment srm` checks what the webhook's owner has.",
}


@dataclass(frozen=True, slots=True)
class AllocationView:
    """An allocation in the order of asking: whom it serves, and how it deals them.

    `owned` says how many buckets are dealt; 0 in a draft, whose buckets are laid when it starts.
    """

    order: int
    key: str
    segment: str | None
    is_fallback: bool
    priority: int
    bar: ShareBar
    owned: int


@dataclass(frozen=True, slots=True)
class ExperimentView:
    """What the page shows of an experiment, of its current iteration where one is meant."""

    experiment: Experiment
    iteration: Iteration
    state: str
    owner: str
    version: Version | None
    created_by: str
    changed_by: str
    flags: tuple[str, ...]
    flags_off: tuple[str, ...]
    treatments: tuple[Treatment, ...]
    allocations: tuple[AllocationView, ...]
    holdout_ppm: int | None
    layer: LayerMap | None
    reserved: str
    overrides: tuple[tuple[str, str], ...]
    timeline: Timeline
    offered: Mapping[str, str]


@router.get("/{project}/{environment}/experiments/{key}", dependencies=[Depends(no_query)])
async def get_experiment(request: Request, visitor: Looking, key: str) -> Response:
    """The page of an experiment."""
    name_of, now = node_of(request).access.name_of, round(time.time() * 1000)
    logged: str = request.app.state.settings.exposures

    def make(served: Served) -> Mapping[str, Any]:
        experiment = found(served.stored.catalog, key)
        view = experiment_view(served.stored, experiment, name_of, now)
        return {"view": view, "nowhere": NOWHERE.get(logged, "")}

    return await shown(request, visitor, "experiment.html", make)


def found(catalog: Catalog, key: str) -> Experiment:
    """The experiment of that key; raises NotFound with the nearest that there is."""
    experiment: Experiment | None = catalog.experiments.get(key)
    if experiment is None:
        near = did_you_mean(key, catalog.experiments) if len(catalog.experiments) < 1000 else ""
        raise NotFound(f"there is no experiment {key!r} in this space{near}")
    return experiment


def experiment_view(
    stored: Stored, experiment: Experiment, name_of: NameOf, now: int
) -> ExperimentView:
    """What is shown of an experiment; `now` is in milliseconds since 1970."""
    catalog, current = stored.catalog, experiment.current
    version = stored.versions.get(f"experiment:{experiment.key}")
    flags = flags_of(experiment)
    holdout = catalog.holdouts[experiment.holdout] if experiment.holdout else None
    layer = layer_map(catalog.layers[experiment.layer], catalog) if experiment.layer else None
    held = [each for each in (layer.holders if layer else ()) if each.key == experiment.key]
    return ExperimentView(
        experiment=experiment,
        iteration=current,
        state=state_of(experiment),
        owner=owner_of(stored, experiment, name_of),
        version=version,
        created_by=name_of(version.created_by) if version else "",
        changed_by=name_of(version.updated_by) if version else "",
        flags=flags,
        flags_off=tuple(key for key in flags if catalog.flags[key].state != "on"),
        treatments=current.treatments,
        allocations=allocations_of(current),
        holdout_ppm=holdout.share_ppm if holdout else None,
        layer=layer,
        reserved=held[0].share if held else "0%",
        overrides=experiment.overrides[:OVERRIDES_SHOWN],
        timeline=timeline(experiment, now),
        offered=offered(experiment),
    )


def allocations_of(iteration: Iteration) -> tuple[AllocationView, ...]:
    """The allocations of an iteration in the order of asking."""
    return tuple(
        AllocationView(
            order,
            each.key,
            each.segment,
            each.fallback,
            each.priority,
            share_bar(iteration, each),
            size(each.slots),
        )
        for order, each in enumerate(asked_in_order(iteration), 1)
    )
