"""Lists of nouns: filters that match exactly, and pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from allotment.dialects.auth0.flags import STATUSES as FLAG_STATUSES
from allotment.dialects.auth0.flags import show_flag
from allotment.dialects.auth0.flags import shown_status as shown_flag_status
from allotment.dialects.auth0.ids import visible
from allotment.dialects.auth0.segments import show_segment
from allotment.dialects.auth0.shown import flag_id_of, show_experiment, shown_flow
from allotment.dialects.auth0.transitions import STATUSES, shown_status
from allotment.dialects.auth0.variations import show_variation
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.page import page
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Version
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.flag import Flag
from allotment.model.keyed import Keyed

N = TypeVar("N")

# Finds the version of a noun by "kind:key".
Versions = Mapping[str, Version]

# What each list can be asked for.
PAGED: Final = ("from", "take")
EXPERIMENTS: Final = (*PAGED, "status", "authentication_flow", "feature_flag_id")
FLAGS: Final = (*PAGED, "type", "status")
SEGMENTS: Final = (*PAGED, "type")

# All nouns are of the first of these types; the second is for those that the vendor makes.
TYPES: Final = ("self", "auth0")
TAKE: Final = 25
TAKE_MAX: Final = 50

_ARCHIVED: Final = "archived"


def list_experiments(asked: Asked, catalog: Catalog, versions: Versions) -> Tree:
    """A page of experiments; those that are archived only where they are asked for."""
    status, flow, flag = (asked.query.at(name) for name in EXPERIMENTS[2:])
    wanted = status.word(STATUSES) if status.given else None

    def is_wanted(experiment: Experiment) -> bool:
        here = shown_status(experiment)
        return (
            (here == wanted if wanted else here != _ARCHIVED)
            and (not flow.given or shown_flow(experiment) == flow.value)
            and (not flag.given or flag_id_of(experiment, catalog) == flag.value)
        )

    return _list(
        "experiments",
        catalog.experiments,
        is_wanted,
        asked.query,
        lambda one: show_experiment(one, catalog, versions[f"experiment:{one.key}"]),
    )


def list_flags(asked: Asked, catalog: Catalog, versions: Versions) -> Tree:
    """A page of feature flags."""
    status, mine = asked.query.at("status"), _is_mine(asked.query.at("type"))
    wanted = status.word(tuple(FLAG_STATUSES)) if status.given else None

    def is_wanted(flag: Flag) -> bool:
        return mine and (wanted is None or shown_flag_status(flag) == wanted)

    return _list(
        "feature_flags",
        catalog.flags,
        is_wanted,
        asked.query,
        lambda one: show_flag(one, versions[f"flag:{one.key}"]),
    )


def list_segments(asked: Asked, catalog: Catalog, versions: Versions) -> Tree:
    """A page of segments, archived ones among them: there is no other way to find them."""
    mine = _is_mine(asked.query.at("type"))
    return _list(
        "segments",
        catalog.segments,
        lambda _one: mine,
        asked.query,
        lambda one: show_segment(one, versions[f"segment:{one.key}"]),
    )


def list_variations(flag: Flag, version: Version) -> Tree:
    """All variations of a flag, which this API does not page."""
    return {"variations": [show_variation(flag, one, version) for one in visible(flag)]}


def _list(
    name: str,
    nouns: Keyed[N],
    is_wanted: Callable[[N], bool],
    query: Place,
    show: Callable[[N], Tree],
) -> Tree:
    found = page(name, nouns, is_wanted, _take(query.at("take")), query.at("from"))
    following: dict[str, Tree] = {} if found.token is None else {"next": found.token}
    return {name: [show(one) for one in found.items], **following}


def _take(place: Place) -> int:
    if not place.given:
        return TAKE
    return place.digits(1, TAKE_MAX)


def _is_mine(place: Place) -> bool:
    return not place.given or place.word(TYPES) == TYPES[0]
