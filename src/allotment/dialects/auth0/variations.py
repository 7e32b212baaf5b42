"""Variations of a flag: what each overrides of the flag's parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from allotment.change.commands import Command, SetVariations
from allotment.change.users import answering
from allotment.dialects.auth0.codes import in_use, name_taken
from allotment.dialects.auth0.ids import (
    DEFAULTS,
    find_variation,
    get_flag,
    get_variation,
    id_of,
    visible,
)
from allotment.dialects.auth0.kept import Values, keep, kept
from allotment.dialects.auth0.labels import (
    read_cleared,
    read_description,
    read_name,
    read_other_name,
    show_description,
    shown_name,
)
from allotment.dialects.auth0.parameters import (
    defaults_of,
    is_lone,
    read_overrides,
    show_overrides,
    value_text,
)
from allotment.dialects.auth0.updates import read_update
from allotment.dialects.wire.alike import alike
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.refusal import Refusal
from allotment.dialects.wire.slug import slug
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Version
from allotment.model.catalog import Catalog
from allotment.model.flag import Flag, Variation
from allotment.model.instant import show_instant

_FIELDS: Final = ("name", "description", "overrides")

# The vendor has a limit and does not say which.
VARIATIONS_MAX: Final = 100


def read_create_variation(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands that add a variation to the flag."""
    flag = get_flag(catalog, asked.ids["id"])
    body = asked.body.fields(_FIELDS, ("name", "overrides"))
    name = read_name(body.at("name"))
    description = read_description(body.at("description"))
    overrides = read_overrides(body.at("overrides"), defaults_of(flag))
    _check_name_free(name, flag)
    if len(visible(flag)) >= VARIATIONS_MAX:
        raise Refusal(
            400, "variation_limit_exceeded", f"A flag has at most {VARIATIONS_MAX} variations"
        )
    # The key of the defaults is never given away, as who has it would not be listed.
    keys = {DEFAULTS, *(one.key for one in flag.variations)}
    key = slug(name, keys.__contains__, "variation")
    value = value_text(defaults_of(flag), overrides, is_lone(flag))
    added = Variation(key, value, name, description)
    return [
        SetVariations(flag.key, (*flag.variations, added), flag.default),
        keep("flag", flag.key, _note(key, "created_at"), asked.given.now),
        keep("flag", flag.key, _note(key, "updated_at"), asked.given.now),
    ]


def read_update_variation(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands of a PATCH; overrides replace all overrides there are."""
    flag = get_flag(catalog, asked.ids["id"])
    old = get_variation(flag, asked.ids["variation_id"])
    body = read_update(asked.body, _FIELDS)
    new = old
    name = read_other_name(body.at("name"), old)
    if name:
        _check_name_free(name, flag)
        new = replace(new, name=name)
    new = replace(new, description=read_cleared(body.at("description"), old))
    if body.at("overrides").given and not alike(
        body.at("overrides").tree(), show_overrides(flag, old)
    ):
        overrides = read_overrides(body.at("overrides"), defaults_of(flag))
        new = replace(new, value=_value(flag, old, overrides, body.at("overrides")))
    if new == old:
        return []
    variations = tuple(new if one is old else one for one in flag.variations)
    return [
        SetVariations(flag.key, variations, flag.default),
        keep("flag", flag.key, _note(old.key, "updated_at"), asked.given.now),
    ]


def read_delete_variation(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands that take the variation from the flag, if it is there."""
    flag = get_flag(catalog, asked.ids["id"])
    gone = find_variation(flag, asked.ids["variation_id"])
    if gone is None:
        return []
    if gone.key == flag.default:
        raise in_use("variation", "it is the default of its flag")
    for key in sorted(catalog.users.get(f"flag:{flag.key}", frozenset())):
        for iteration in answering(catalog.experiments[key]):
            if any((flag.key, gone.key) in one.sets for one in iteration.treatments):
                raise in_use("variation", "an experiment that is not archived allocates it")
    left = tuple(one for one in flag.variations if one is not gone)
    notes = (_note(gone.key, word) for word in ("created_at", "updated_at"))
    return [
        SetVariations(flag.key, left, flag.default),
        *(keep("flag", flag.key, note, None) for note in notes),
    ]


def show_variation(flag: Flag, variation: Variation, version: Version) -> dict[str, Tree]:
    """The variation as this API spells it; the times are its flag's, where it has none itself."""
    created = kept(flag, _note(variation.key, "created_at"))
    updated = kept(flag, _note(variation.key, "updated_at"))
    return {
        "id": id_of("variation", flag.key, variation.key),
        "feature_flag_id": id_of("flag", flag.key),
        "name": shown_name(variation),
        **show_description(variation),
        "overrides": show_overrides(flag, variation),
        "created_at": show_instant(created if isinstance(created, int) else version.created_at),
        "updated_at": show_instant(updated if isinstance(updated, int) else version.updated_at),
    }


def _value(flag: Flag, old: Variation, overrides: Values, place: Place) -> str:
    if old.key == flag.default and overrides:
        raise place.refusal("this variation is the flag's default; change the flag's parameters")
    return value_text(defaults_of(flag), overrides, is_lone(flag))


def _check_name_free(name: str, flag: Flag) -> None:
    if any(shown_name(one) == name for one in visible(flag)):
        raise name_taken("variation")


def _note(key: str, word: str) -> str:
    return f"variation/{key}/{word}"
