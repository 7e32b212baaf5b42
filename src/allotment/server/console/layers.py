"""The page of layers, each drawn to scale, and of holdouts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from allotment.model.catalog import Catalog
from allotment.model.layer import Holdout, Layer
from allotment.server.api.route import Query
from allotment.server.console.charts import Stretch
from allotment.server.console.layermap import LayerMap, layer_map
from allotment.server.console.paging import NounPage, NounsQuery, noun_page
from allotment.server.console.route import Looking, PageRoute, shown
from allotment.server.sync.spaces import Served

router: Final = APIRouter(route_class=PageRoute)


@dataclass(frozen=True, slots=True)
class LayerLine:
    """A layer and its map."""

    layer: Layer
    map: LayerMap


@dataclass(frozen=True, slots=True)
class HoldoutLine:
    """A holdout, what it keeps out as a line of 1,000,000 parts, and the experiments under it."""

    holdout: Holdout
    stretches: tuple[Stretch, ...]
    experiments: tuple[str, ...]


@router.get("/{project}/{environment}/layers")
async def get_layers(
    request: Request, visitor: Looking, query: Annotated[NounsQuery, Query(NounsQuery)]
) -> Response:
    """The layers."""

    def make(served: Served) -> Mapping[str, Any]:
        return {"list": layer_page(served.stored.catalog, query), "query": query}

    return await shown(request, visitor, "layers.html", make)


@router.get("/{project}/{environment}/holdouts")
async def get_holdouts(
    request: Request, visitor: Looking, query: Annotated[NounsQuery, Query(NounsQuery)]
) -> Response:
    """The holdouts."""

    def make(served: Served) -> Mapping[str, Any]:
        return {"list": holdout_page(served.stored.catalog, query), "query": query}

    return await shown(request, visitor, "holdouts.html", make)


def layer_page(catalog: Catalog, query: NounsQuery) -> NounPage[LayerLine]:
    """The layers that a query asks for."""
    page = noun_page(catalog.layers, query)
    lines = tuple(LayerLine(each, layer_map(each, catalog)) for each in page.lines)
    return NounPage(lines, page.found, page.total, page.page, page.pages)


def holdout_page(catalog: Catalog, query: NounsQuery) -> NounPage[HoldoutLine]:
    """The holdouts that a query asks for."""
    page = noun_page(catalog.holdouts, query)
    lines = tuple(_holdout(each, catalog) for each in page.lines)
    return NounPage(lines, page.found, page.total, page.page, page.pages)


def _holdout(holdout: Holdout, catalog: Catalog) -> HoldoutLine:
    under = sorted(catalog.users.get(f"holdout:{holdout.key}", ()))
    return HoldoutLine(holdout, (Stretch(0, holdout.share_ppm, 1, "kept out"),), tuple(under))
