"""The page of all experiments: searched, filtered, a page at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from allotment.change.references import flags_set
from allotment.dialects.wire.model import DIGITS, Body
from allotment.engine.explanation import asked_in_order
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.server.api.route import Query
from allotment.server.console.route import Looking, PageRoute, shown
from allotment.server.console.shares import ShareBar, share_bar
from allotment.server.sync.spaces import Served
from allotment.server.writes.change import node_of
from allotment.store import Stored

router: Final = APIRouter(route_class=PageRoute)

PAGE_LINES: Final = 50
STATES: Final = ("running", "paused", "draft", "stopped", "archived")
_OPTIONS_MAX: Final = 500
_OWNERS: Final = ("owner", "maintainerId", "owner_id")

# The name of who did something, by the id that the journal has.
NameOf = Callable[[str], str]


class ExperimentsQuery(Body):
    """Which experiments are shown, in which order, and which page of them."""

    q: Annotated[str, Field(max_length=1024)] = ""
    state: Literal["", "running", "paused", "draft", "stopped", "archived"] = ""
    flag: Annotated[str, Field(max_length=1024)] = ""
    layer: Annotated[str, Field(max_length=1024)] = ""
    owner: Annotated[str, Field(max_length=1024)] = ""
    sort: Literal["key", "changed"] = "key"
    page: Annotated[int, Field(ge=1, le=1_000_000), DIGITS] = 1


@dataclass(frozen=True, slots=True)
class ExperimentLine:
    """One experiment of the list. `bar` is of the allocation that is asked first, if there is one;
    `others` says how many more there are. `changed_at` is in milliseconds since 1970, 0: unknown.
    """

    key: str
    name: str
    state: str
    bar: ShareBar | None
    others: int
    enrolment_ppm: int
    layer: str | None
    flags: tuple[str, ...]
    owner: str
    changed_at: int
    changed_by: str


@dataclass(frozen=True, slots=True)
class ExperimentList:
    """A page of experiments: `found` by the query, of `total`."""

    lines: tuple[ExperimentLine, ...]
    found: int
    total: int
    page: int
    pages: int


@router.get("/{project}/{environment}/experiments")
async def get_experiments(
    request: Request,
    visitor: Looking,
    query: Annotated[ExperimentsQuery, Query(ExperimentsQuery)],
) -> Response:
    """The list."""
    name_of = node_of(request).access.name_of

    def make(served: Served) -> Mapping[str, Any]:
        catalog = served.stored.catalog
        return {
            "list": experiment_list(served.stored, query, name_of),
            "query": query,
            "states": STATES,
            "flags": _some(catalog.flags),
            "layers": _some(catalog.layers),
        }

    return await shown(request, visitor, "experiments.html", make)


def experiment_list(stored: Stored, query: ExperimentsQuery, name_of: NameOf) -> ExperimentList:
    """The page of the list that a query asks for."""
    catalog = stored.catalog
    found = [each for each in _among(catalog, query) if _is_wanted(stored, each, query, name_of)]
    if query.sort == "changed":
        found.sort(key=lambda each: -_changed(stored, each)[0])
    pages = max(1, -(-len(found) // PAGE_LINES))
    page = min(query.page, pages)
    several = found[(page - 1) * PAGE_LINES : page * PAGE_LINES]
    lines = tuple(_line(stored, each, name_of) for each in several)
    return ExperimentList(lines, len(found), len(catalog.experiments), page, pages)


def state_of(experiment: Experiment) -> str:
    """Where an experiment stands: the state of its current iteration, or "archived"."""
    return "archived" if experiment.archived else str(experiment.current.state)


def owner_of(stored: Stored, experiment: Experiment, name_of: NameOf) -> str:
    """Whose it is: what a vendor's API said, or else who made it; "" if that is not known."""
    for path, text in experiment.kept:
        if path.rpartition("/")[2] in _OWNERS:
            said = json.loads(text)
            if isinstance(said, str) and said:
                return said
    version = stored.versions.get(f"experiment:{experiment.key}")
    return name_of(version.created_by) if version and version.created_by else ""


def flags_of(experiment: Experiment) -> tuple[str, ...]:
    """The flags that treatments of its current iteration set, sorted."""
    return tuple(sorted(flags_set(experiment.current)))


def _among(catalog: Catalog, query: ExperimentsQuery) -> Iterator[Experiment]:
    """The experiments in the order of their keys; of a flag or a layer, those that the catalog's
    index has."""
    keys: Any = catalog.experiments
    for kind, key in (("flag", query.flag), ("layer", query.layer)):
        if key:
            users = catalog.users.get(f"{kind}:{key}", frozenset())
            keys = sorted(users.intersection(keys))
    return (catalog.experiments[key] for key in keys)


def _is_wanted(
    stored: Stored, experiment: Experiment, query: ExperimentsQuery, name_of: NameOf
) -> bool:
    if query.state and state_of(experiment) != query.state:
        return False
    if query.q:
        text = f"{experiment.key}\n{experiment.name}\n{experiment.description}".casefold()
        if not all(word in text for word in query.q.casefold().split()):
            return False
    return not query.owner or (
        query.owner.casefold() in owner_of(stored, experiment, name_of).casefold()
    )


def _changed(stored: Stored, experiment: Experiment) -> tuple[int, str]:
    version = stored.versions.get(f"experiment:{experiment.key}")
    return (version.updated_at, version.updated_by) if version else (0, "")


def _line(stored: Stored, experiment: Experiment, name_of: NameOf) -> ExperimentLine:
    current = experiment.current
    allocations = asked_in_order(current)
    changed_at, who = _changed(stored, experiment)
    return ExperimentLine(
        experiment.key,
        experiment.name,
        state_of(experiment),
        share_bar(current, allocations[0]) if allocations else None,
        max(0, len(allocations) - 1),
        current.enrolment_ppm,
        experiment.layer,
        flags_of(experiment),
        owner_of(stored, experiment, name_of),
        changed_at,
        name_of(who),
    )


def _some(nouns: Mapping[str, object]) -> list[str]:
    """What may be chosen from; of very many, the first."""
    return list(nouns)[:_OPTIONS_MAX]
