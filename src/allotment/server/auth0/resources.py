"""The four resources of the API: where each stands, how it is found, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from allotment.change.commands import Command, Create, SetVariations
from allotment.change.kinds import kind_of
from allotment.dialects.auth0.flags import show_flag
from allotment.dialects.auth0.ids import (
    find_experiment,
    find_flag,
    find_segment,
    get_experiment,
    get_flag,
    get_segment,
    get_variation,
)
from allotment.dialects.auth0.segments import show_segment
from allotment.dialects.auth0.shown import show_experiment
from allotment.dialects.auth0.variations import show_variation
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.flag import Flag
from allotment.model.segment import Segment
from allotment.server.vendor import Find, Ids, Made, Noun, Show
from allotment.store import Stored

_Found: TypeAlias = Experiment | Flag | Segment


@dataclass(frozen=True, slots=True)
class Resource:
    """One of the four.

    word, title   in the names of operations, and in their summaries
    many, one     the paths of all of them, and of one; `ids` are the prefixes of the ids in them
    schema        the name of its schema; those of its bodies are made from it
    find          the noun that a path names, or the 404
    leaving       the noun that a path names, or one that is not there: that is no error to a DELETE
    """

    word: str
    title: str
    many: str
    one: str
    ids: tuple[str, ...]
    schema: str
    find: Find
    leaving: Find
    show: Show
    made: Made

    @property
    def outer(self) -> tuple[str, ...]:
        """The prefixes of the ids in the path of all of them."""
        return self.ids[:-1]


def _finding(kind: str, get: Callable[[Catalog, str], _Found]) -> Find:
    return lambda ids, catalog: (kind, get(catalog, ids["id"]).key)


def _leaving(kind: str, find: Callable[[Catalog, str], _Found | None]) -> Find:
    def leaving(ids: Ids, catalog: Catalog) -> Noun:
        found = find(catalog, ids["id"])
        return (kind, found.key if found else "")

    return leaving


def _created(commands: Sequence[Command]) -> Noun:
    (noun,) = (command.noun for command in commands if isinstance(command, Create))
    return (kind_of(noun), noun.key)


def _show_experiment(_asked: Asked, noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
    experiment = stored.catalog.experiments[noun[1]]
    return show_experiment(experiment, stored.catalog, stored.versions[":".join(noun)])


def _show_flag(_asked: Asked, noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
    return show_flag(stored.catalog.flags[noun[1]], stored.versions[":".join(noun)])


def _show_segment(_asked: Asked, noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
    return show_segment(stored.catalog.segments[noun[1]], stored.versions[":".join(noun)])


# A variation is a part of its flag: its version is the flag's.


def _find_variation(ids: Ids, catalog: Catalog) -> Noun:
    flag = get_flag(catalog, ids["id"])
    get_variation(flag, ids["variation_id"])
    return ("flag", flag.key)


def _flag_with(commands: Sequence[Command]) -> Noun:
    (key,) = (command.flag for command in commands if isinstance(command, SetVariations))
    return ("flag", key)


def _show_variation(asked: Asked, noun: Noun, stored: Stored, done: Sequence[Command]) -> Tree:
    flag = stored.catalog.flags[noun[1]]
    if "variation_id" in asked.ids:
        variation = get_variation(flag, asked.ids["variation_id"])
    else:
        (added,) = (one.variations[-1].key for one in done if isinstance(one, SetVariations))
        variation = next(one for one in flag.variations if one.key == added)
    return show_variation(flag, variation, stored.versions[":".join(noun)])


EXPERIMENT: Final = Resource(
    "experiment",
    "an experiment",
    "/experiments",
    "/experiments/{id}",
    ("exp",),
    "Experiment",
    _finding("experiment", get_experiment),
    _leaving("experiment", find_experiment),
    _show_experiment,
    _created,
)
FLAG: Final = Resource(
    "flag",
    "a feature flag",
    "/feature-flags",
    "/feature-flags/{id}",
    ("flg",),
    "Flag",
    _finding("flag", get_flag),
    _leaving("flag", find_flag),
    _show_flag,
    _created,
)
VARIATION: Final = Resource(
    "variation",
    "a variation",
    "/feature-flags/{id}/variations",
    "/feature-flags/{id}/variations/{variation_id}",
    ("flg", "var"),
    "Variation",
    _find_variation,
    _finding("flag", get_flag),
    _show_variation,
    _flag_with,
)
SEGMENT: Final = Resource(
    "segment",
    "a segment",
    "/segments",
    "/segments/{id}",
    ("seg",),
    "Segment",
    _finding("segment", get_segment),
    _leaving("segment", find_segment),
    _show_segment,
    _created,
)
