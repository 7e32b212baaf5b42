"""Flags: variants, and the rules that decide who gets which, one for each experiment."""

from __future__ import annotations

from typing import Final

from allotment.change.commands import Command, Create, Describe, SwitchFlag
from allotment.dialects.confidence.flags_edit import read_edits, read_note, read_text
from allotment.dialects.confidence.flags_ids import read_id
from allotment.dialects.confidence.flags_rules import show_rule
from allotment.dialects.confidence.kept import Values, keep, keeping, kept
from allotment.dialects.confidence.names import flag_name, get_flag
from allotment.dialects.confidence.origin import show_origin
from allotment.dialects.confidence.schema import CLIENT_DEFAULT, SCHEMA, schema_of, variants_of
from allotment.dialects.confidence.variants import (
    FIELDS,
    OUTPUT,
    VARIANTS_MAX,
    labels_of,
    read_variant_body,
    show_variant,
)
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.mask import Part, Shape
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Version
from allotment.model.catalog import Catalog
from allotment.model.flag import Flag, FlagState, Variation
from allotment.model.limits import TEXT_CHARACTERS_MAX

STATES: Final = ("ACTIVE", "ARCHIVED")
_ACTIVE, _ARCHIVED = STATES

# Fields that nothing here is decided by.
_NOTES: Final = (SCHEMA, "labels", "owner")

_SHAPE: Final[Shape] = {"description": Part.LEAF, **dict.fromkeys(_NOTES, Part.OPEN)}

# What is told of a flag and never set.
_OUTPUT: Final = ("name", "state", "createTime", "updateTime", "creator", "updater")

# What is set by calls of their own, or in another way here.
_ELSEWHERE: Final = {
    "variants": "variants are changed one at a time, by calls of their own",
    "rules": "a rule is made by an instance of the workflow abtest",
    "clients": "every client whose secret reaches this space resolves the flag; there is no list",
}


def read_create_flag(asked: Asked, catalog: Catalog) -> list[Command]:
    """The command that creates the flag, which is on at once."""
    body = asked.body.fields((*_SHAPE, *_OUTPUT, *_ELSEWHERE, "usageMetadata"))
    key = read_id(asked, "flag", "flag", catalog.flags.__contains__)
    for name in ("rules", "clients"):
        if body.at(name).given and body.at(name).value not in (None, []):
            raise body.at(name).refusal(_ELSEWHERE[name])
    notes: Values = {name: read_note(body.at(name)) for name in _NOTES}
    variations: list[Variation] = [Variation(CLIENT_DEFAULT, "{}")]
    given = body.at("variants")
    for item in given.items(0, VARIANTS_MAX) if given.given and not given.null else []:
        item.fields((*FIELDS, *OUTPUT), ("name", "value"))
        variant = _variant_key(item.at("name"), key, [one.key for one in variations])
        variation, labels = read_variant_body(item, variant, lone=False)
        variations.append(variation)
        notes[labels_of(variant)] = labels
    text = read_text(body.at("description"))
    flag = Flag(key, tuple(variations), CLIENT_DEFAULT, description=text, kept=keeping(notes))
    return [Create(flag)]


def read_update_flag(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands of a PATCH: of a flag's own fields, as its parts have calls of their own."""
    flag = get_flag(catalog, asked.ids["flag"])
    for name, why in _ELSEWHERE.items():
        if asked.body.at(name).given:
            raise asked.body.at(name).refusal(why)
    commands: list[Command] = []
    unwritten = (*_OUTPUT, "usageMetadata")
    for name, place in read_edits(asked, _shown_fields(flag), _SHAPE, unwritten).items():
        if name == "description":
            commands.append(Describe("flag", flag.key, read_text(place)))
        else:
            commands.append(keep("flag", flag.key, name, read_note(place)))
    return commands


def read_archive_flag(asked: Asked, catalog: Catalog) -> list[Command]:
    """The command that archives the flag, for good."""
    asked.body.fields(())
    return [SwitchFlag(get_flag(catalog, asked.ids["flag"]).key, FlagState.ARCHIVED)]


def show_flag(flag: Flag, catalog: Catalog, version: Version) -> dict[str, Tree]:
    """The flag as this API spells it; one that is off is not archived, so that it is active."""
    places = [catalog.experiments[one.experiment] for one in flag.experiments]
    return {
        "name": flag_name(flag.key),
        **_shown_fields(flag),
        "schema": {"schema": schema_of(flag)},
        "variants": [show_variant(flag, one, version) for one in variants_of(flag)],
        "rules": [show_rule(flag, experiment) for experiment in places],
        "clients": [],
        "state": _ARCHIVED if flag.state is FlagState.ARCHIVED else _ACTIVE,
        **show_origin(version),
    }


def _shown_fields(flag: Flag) -> Values:
    notes = {name: kept(flag, name) for name in _NOTES}
    given: Values = {name: value for name, value in notes.items() if value is not None}
    return {"description": flag.description, **given}


def _variant_key(place: Place, flag: str, taken: list[str]) -> str:
    """The key of a variant that is created with its flag."""
    start = f"{flag_name(flag)}/variants/"
    name = place.text(1, TEXT_CHARACTERS_MAX)
    key = name.removeprefix(start)
    if key == name or not key:
        raise place.refusal("a name like flags/FLAG/variants/VARIANT belongs here, of this flag")
    if key in taken:
        raise place.refusal("another variant has this name")
    return key
