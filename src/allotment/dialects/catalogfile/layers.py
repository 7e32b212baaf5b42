"""Layers and holdouts, in the file and back."""

from __future__ import annotations

from typing import Final

from allotment.dialects.catalogfile.cursor import Cursor, Tree
from allotment.dialects.catalogfile.iterations import (
    read_profile,
    read_salt,
    read_share,
    show_profile,
)
from allotment.dialects.catalogfile.values import read_kept, show_kept
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.limits import BUCKETS
from allotment.model.number import show_percent
from allotment.model.profile import PROFILES
from allotment.model.slots import Range, Ranges

_LAYER: Final = ("name", "description", "unit", "profile", "salt", "reservations", "kept")
_HOLDOUT: Final = ("name", "description", "unit", "profile", "salt", "share", "kept")


def read_layer(key: str, place: Cursor) -> Layer:
    """The layer at `place`; a reservation that is a share has no ranges yet."""
    place.fields(_LAYER)
    profile = read_profile(place.at("profile"))
    buckets = PROFILES[profile].count(BUCKETS)
    reservations = (
        _read_reservation(each, buckets, at) for each, at in place.at("reservations").entries()
    )
    return Layer(
        key=key,
        salt=read_salt(place.at("salt")),
        name=place.at("name").name(),
        description=place.at("description").description(),
        unit=place.at("unit").key("user"),
        reservations=tuple(sorted(reservations, key=lambda each: each.experiment)),
        kept=read_kept(place.at("kept")),
        profile=profile,
    )


def show_layer(layer: Layer) -> Tree:
    """The layer as the file spells it, its reservations as ranges."""
    shown: dict[str, Tree] = {
        "name": layer.name,
        "description": layer.description,
        "unit": "" if layer.unit == "user" else layer.unit,
        "profile": show_profile(layer.profile),
        "salt": layer.salt,
        "reservations": {each.experiment: show_ranges(each.ranges) for each in layer.reservations},
        **show_kept(layer.kept),
    }
    return {field: value for field, value in shown.items() if value}


def read_holdout(key: str, place: Cursor) -> Holdout:
    """The holdout at `place`."""
    place.fields(_HOLDOUT)
    return Holdout(
        key=key,
        salt=read_salt(place.at("salt")),
        share_ppm=read_share(place.at("share")),
        name=place.at("name").name(),
        description=place.at("description").description(),
        unit=place.at("unit").key("user"),
        kept=read_kept(place.at("kept")),
        profile=read_profile(place.at("profile")),
    )


def show_holdout(holdout: Holdout) -> Tree:
    """The holdout as the file spells it."""
    shown: dict[str, Tree] = {
        "name": holdout.name,
        "description": holdout.description,
        "unit": "" if holdout.unit == "user" else holdout.unit,
        "profile": show_profile(holdout.profile),
        "salt": holdout.salt,
        "share": show_percent(holdout.share_ppm),
        **show_kept(holdout.kept),
    }
    return {field: value for field, value in shown.items() if value}


def _read_reservation(key: str, buckets: int, place: Cursor) -> Reservation:
    """Exact ranges of buckets, or a share that is laid when the catalog is changed."""
    if not isinstance(place.value, list):
        return Reservation(key, (), read_share(place))
    return Reservation(key, read_ranges(place, buckets))


def read_ranges(place: Cursor, buckets: int = BUCKETS) -> Ranges:
    """Buckets as a list of [start, stop]; none where the file leaves it out."""
    return tuple(_read_range(item, buckets) for item in place.items())


def show_ranges(ranges: Ranges) -> Tree:
    """The buckets as the file spells them."""
    return [list(edges) for edges in ranges]


def _read_range(place: Cursor, buckets: int) -> Range:
    edges = place.items()
    if len(edges) != 2:
        raise place.wrong("[start, stop]")
    return Range(edges[0].whole(0, buckets), edges[1].whole(0, buckets))
