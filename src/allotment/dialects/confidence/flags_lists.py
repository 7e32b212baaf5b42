"""Lists of flags, of their variants and of segments, in pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from allotment.dialects.confidence.flags import show_flag
from allotment.dialects.confidence.lists import read_size
from allotment.dialects.confidence.schema import variants_of
from allotment.dialects.confidence.segments import show_segment
from allotment.dialects.confidence.variants import show_variant
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.page import page
from allotment.dialects.wire.place import ABSENT, Place
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Version, Versions
from allotment.model.catalog import Catalog
from allotment.model.flag import Flag
from allotment.model.keyed import Keyed

N = TypeVar("N")

# What each list can be asked for.
PAGED: Final = ("pageSize", "pageToken")


def list_flags(asked: Asked, catalog: Catalog, versions: Versions) -> Tree:
    """A page of flags, archived ones among them."""
    return _list(
        asked,
        "flags",
        catalog.flags,
        lambda one: show_flag(one, catalog, versions[f"flag:{one.key}"]),
    )


def list_segments(asked: Asked, catalog: Catalog, versions: Versions) -> Tree:
    """A page of segments, archived ones among them."""
    return _list(
        asked,
        "segments",
        catalog.segments,
        lambda one: show_segment(one, versions[f"segment:{one.key}"]),
    )


def list_variants(flag: Flag, version: Version) -> Tree:
    """All variants of a flag, which are few."""
    shown: list[Tree] = [show_variant(flag, one, version) for one in variants_of(flag)]
    return {"variants": shown, "nextPageToken": ""}


def _list(asked: Asked, name: str, nouns: Keyed[N], show: Callable[[N], Tree]) -> Tree:
    size, token = (asked.query.at(each) for each in PAGED)
    start = Place(token.value or ABSENT, token.path)
    found = page(name, nouns, lambda _one: True, read_size(size), start)
    shown = [show(one) for one in found.items]
    return {name: shown, "nextPageToken": found.token or ""}
