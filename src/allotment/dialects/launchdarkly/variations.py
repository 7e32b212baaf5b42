"""Variations of a flag: values, each with an id that follows from the flag's key and its own."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from allotment.dialects.launchdarkly.codes import invalid
from allotment.dialects.launchdarkly.ids import ID_MAX, find_variation, id_of
from allotment.dialects.launchdarkly.labels import read_description
from allotment.dialects.wire.alike import alike
from allotment.dialects.wire.notes import json_text
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.slug import slug
from allotment.dialects.wire.source import Tree
from allotment.model.flag import Flag, Variation
from allotment.model.limits import NAME_CHARACTERS_MAX
from allotment.model.text import check_name

VARIATIONS_MAX: Final = 256

# What a flag has where nobody says.
BOOLEAN: Final = (Variation("true", "true"), Variation("false", "false"))


def read_variations(place: Place) -> tuple[Variation, ...]:
    """The variations of a new flag; where they are left out, true and false."""
    if not place.said:
        return BOOLEAN
    found: list[Variation] = []
    for item in place.items(1, VARIATIONS_MAX):
        found.append(read_variation(item, found))
    return tuple(found)


def read_variation(place: Place, others: Collection[Variation]) -> Variation:
    """One more variation beside the others. Its key is its name, or its value, made a key."""
    value, name = place.at("value"), _read_name(place.at("name"))
    taken = {one.key for one in others}
    base = name or (json_text(value.tree()) if _is_plain(value.tree()) else "")
    new = Variation(
        slug(base, taken.__contains__, "variation"),
        json_text(value.tree()),
        name,
        read_description(place.at("description")),
    )
    _check_value_free(value, others)
    return new


def edit_variation(place: Place, flag: Flag, old: Variation) -> Variation:
    """The variation with what is given of it changed."""
    new = old
    if place.at("name").said:
        new = replace(new, name=_read_name(place.at("name")))
    if place.at("description").said:
        new = replace(new, description=read_description(place.at("description")))
    if place.at("value").given:
        others = [one for one in flag.variations if one is not old]
        _check_value_free(place.at("value"), others)
        new = replace(new, value=json_text(place.at("value").tree()))
    return new


def get_variation(place: Place, flag: Flag) -> Variation:
    """The variation of the flag that an instruction's `variationId` names."""
    found = find_variation(flag, place.at("variationId").text(1, ID_MAX))
    if found is None:
        raise invalid("the flag has no variation with this id", place.at("variationId").path)
    return found


def show_variation(flag: Flag, variation: Variation) -> dict[str, Tree]:
    """The variation; a name or a description that is not set is left out."""
    shown: dict[str, Tree] = {
        "_id": id_of("variation", flag.key, variation.key),
        "value": value_of(variation),
    }
    if variation.name:
        shown["name"] = variation.name
    if variation.description:
        shown["description"] = variation.description
    return shown


def value_of(variation: Variation) -> Tree:
    """The variation's value."""
    tree: Tree = json.loads(variation.value)
    return tree


def index_of(flag: Flag, key: str) -> int:
    """Where the variation stands in its flag."""
    return [one.key for one in flag.variations].index(key)


def _read_name(place: Place) -> str:
    if not place.said:
        return ""
    return check_name(place.text(0, NAME_CHARACTERS_MAX), place.path)


def _is_plain(value: Tree) -> bool:
    return isinstance(value, bool | int | float | str)


def _check_value_free(place: Place, others: Collection[Variation]) -> None:
    if any(alike(value_of(one), place.tree()) for one in others):
        raise invalid("another variation has this value", place.path)
