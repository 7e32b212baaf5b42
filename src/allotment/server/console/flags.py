"""The pages of flags: all of them, and one with its variations and the experiments behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from allotment.errors import NotFound
from allotment.model.catalog import Catalog
from allotment.model.flag import Flag, FlagExperiment, Miss
from allotment.server.api.route import Query
from allotment.server.console.experiments import state_of
from allotment.server.console.paging import NounsQuery, noun_page
from allotment.server.console.route import Looking, PageRoute, no_query, shown
from allotment.server.sync.spaces import Served

router: Final = APIRouter(route_class=PageRoute)


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """An experiment in the order in which a flag asks, its state, and what a miss means."""

    experiment: str
    state: str
    miss: str


@dataclass(frozen=True, slots=True)
class FlagView:
    """A flag and the experiments that it asks; `setting` are all that set it."""

    flag: Flag
    places: tuple[PlaceLine, ...]
    setting: tuple[str, ...]


@router.get("/{project}/{environment}/flags")
async def get_flags(
    request: Request, visitor: Looking, query: Annotated[NounsQuery, Query(NounsQuery)]
) -> Response:
    """The list."""

    def make(served: Served) -> Mapping[str, Any]:
        return {"list": noun_page(served.stored.catalog.flags, query), "query": query}

    return await shown(request, visitor, "flags.html", make)


@router.get("/{project}/{environment}/flags/{key}", dependencies=[Depends(no_query)])
async def get_flag(request: Request, visitor: Looking, key: str) -> Response:
    """One flag."""

    def make(served: Served) -> Mapping[str, Any]:
        return {"view": flag_view(served.stored.catalog, key)}

    return await shown(request, visitor, "flag.html", make)


def flag_view(catalog: Catalog, key: str) -> FlagView:
    """What is shown of a flag; raises NotFound where there is none of that key."""
    flag: Flag | None = catalog.flags.get(key)
    if flag is None:
        raise NotFound(f"there is no flag {key!r} in this space")
    places = tuple(
        PlaceLine(
            each.experiment, state_of(catalog.experiments[each.experiment]), _miss(flag, each)
        )
        for each in flag.experiments
    )
    listed = {each.experiment for each in flag.experiments}
    setting = sorted(set(catalog.users.get(f"flag:{key}", ())) - listed)
    return FlagView(flag, places, tuple(setting))


def _miss(flag: Flag, place: FlagExperiment) -> str:
    if place.miss is Miss.NEXT:
        return "the next is asked"
    return f"it ends with {place.otherwise or flag.default}"
