"""The list of instances: pages, and a filter of terms."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from allotment.dialects.confidence.kept import kept
from allotment.dialects.confidence.names import flag_name, flag_of, instance_name, segment_name
from allotment.dialects.confidence.origin import creator_of
from allotment.dialects.confidence.shown import show_instance
from allotment.dialects.confidence.transitions import shown_state
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.page import page
from allotment.dialects.wire.place import ABSENT, Place
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Version, Versions
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment

PAGED: Final = ("pageSize", "pageToken", "filter")
SIZE: Final = 50
SIZE_MAX: Final = 1_000

_FILTER_MAX: Final = 4_096

# `field:value`; a value with a space or a colon in it stands in quotes.
_TERM: Final = re.compile(r'\s*([A-Za-z.]+):(?:"((?:[^"\\]|\\["\\])*)"|([^\s"():*?~]+))(?=\s|\Z)')
_AND: Final = re.compile(r"\s+AND(?=\s)")


def _flag_name(experiment: Experiment, catalog: Catalog, _version: Version) -> str:
    flag = flag_of(experiment, catalog)
    return "" if flag is None else flag_name(flag)


def _segment_name(experiment: Experiment, _catalog: Catalog, _version: Version) -> str:
    audience = experiment.current.audience
    return "" if audience is None else segment_name(audience)


# What a filter may ask about, by how it is shown.
FIELDS: Final[dict[str, Callable[[Experiment, Catalog, Version], Tree]]] = {
    "state": lambda one, *_: shown_state(one),
    "name": lambda one, *_: instance_name(one.key),
    "displayName": lambda one, *_: one.name or one.key,
    "owner": lambda one, _, version: kept(one, "owner") or creator_of(version),
    "abtest.flag": _flag_name,
    "flags.flag": _flag_name,
    "flags.segment": _segment_name,
}


def list_instances(asked: Asked, catalog: Catalog, versions: Versions) -> Tree:
    """A page of instances; the token of the next is empty at the end."""
    query = asked.query
    terms = read_filter(query.at("filter"))

    def is_wanted(one: Experiment) -> bool:
        version = versions[f"experiment:{one.key}"]
        return all(FIELDS[field](one, catalog, version) == value for field, value in terms)

    token = query.at("pageToken")
    found = page(
        "abtests",
        catalog.experiments,
        is_wanted,
        read_size(query.at("pageSize")),
        Place(token.value or ABSENT, token.path),
    )
    return {
        "abtests": [
            show_instance(one, catalog, versions[f"experiment:{one.key}"]) for one in found.items
        ],
        "nextPageToken": found.token or "",
    }


def read_size(place: Place) -> int:
    """How many belong on a page; 0 is as good as nothing."""
    if not place.given:
        return SIZE
    return place.digits(0, SIZE_MAX) or SIZE


def read_filter(place: Place) -> list[tuple[str, str]]:
    """The terms of a filter, all of which must hold: `field:value AND field:"some value"`."""
    text = place.text(0, _FILTER_MAX) if place.given else ""
    terms: list[tuple[str, str]] = []
    at = 0
    while text.strip():
        term = _TERM.match(text, at)
        if term is None or term[1] not in FIELDS:
            raise place.refusal(
                f"terms like state:live belong here, with AND between them; of {', '.join(FIELDS)}"
            )
        quoted = term[2]
        terms.append((term[1], re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else term[3]))
        more = _AND.match(text, term.end())
        if more is None and not text[term.end() :].strip():
            break
        if more is None:
            raise place.refusal("AND belongs between two terms")
        at = more.end()
    return terms
