"""Variants of a flag: values that are objects, each under a name of its own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from allotment.change.commands import Command, SetVariations
from allotment.change.references import answering
from allotment.dialects.confidence.codes import missing
from allotment.dialects.confidence.flags_edit import read_edits, read_note, read_text
from allotment.dialects.confidence.flags_ids import read_id
from allotment.dialects.confidence.kept import Values, keep, kept
from allotment.dialects.confidence.names import get_flag, variant_name
from allotment.dialects.confidence.origin import show_origin
from allotment.dialects.confidence.schema import (
    CLIENT_DEFAULT,
    LONE,
    is_lone,
    value_of,
    variants_of,
)
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.mask import Part, Shape
from allotment.dialects.wire.notes import json_text
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.refusal import Refusal
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Version
from allotment.model.catalog import Catalog
from allotment.model.flag import Flag, Variation

VARIANTS_MAX: Final = 100
VALUE_CHARACTERS_MAX: Final = 65_536

_LABELS: Final = "labels"

FIELDS: Final[Shape] = {"value": Part.OPEN, "description": Part.LEAF, _LABELS: Part.OPEN}

# What is told of a variant and never set.
OUTPUT: Final = ("name", "createTime", "updateTime", "creator", "updater")


def read_create_variant(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands that add a variant to the flag."""
    flag = get_flag(catalog, asked.ids["flag"])
    # The name of what is no variant is never given away, as who has it would not be listed.
    keys = {CLIENT_DEFAULT, *(one.key for one in flag.variations)}
    key = read_id(asked, "variant", "variation", keys.__contains__)
    body = asked.body.fields((*FIELDS, *OUTPUT), ("value",))
    variation, labels = read_variant_body(body, key, lone=bool(variants_of(flag)) and is_lone(flag))
    if len(variants_of(flag)) >= VARIANTS_MAX:
        message = f"a flag has at most {VARIANTS_MAX} variants"
        raise Refusal(400, "FAILED_PRECONDITION", message)
    commands: list[Command] = [SetVariations(flag.key, (*flag.variations, variation), flag.default)]
    if labels is not None:
        commands.append(keep("flag", flag.key, labels_of(key), labels))
    return commands


def read_update_variant(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands of a PATCH."""
    flag = get_flag(catalog, asked.ids["flag"])
    old = get_variant(flag, asked.ids["variant"])
    edits = read_edits(asked, _shown_fields(flag, old), FIELDS, OUTPUT)
    new = old
    if "value" in edits:
        new = replace(new, value=_read_value(edits["value"], lone=is_lone(flag)))
    if "description" in edits:
        new = replace(new, description=read_text(edits["description"]))
    commands: list[Command] = []
    if new != old:
        variations = tuple(new if one is old else one for one in flag.variations)
        commands.append(SetVariations(flag.key, variations, flag.default))
    if _LABELS in edits:
        commands.append(keep("flag", flag.key, labels_of(old.key), read_note(edits[_LABELS])))
    return commands


def read_delete_variant(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands that take a variant from its flag."""
    flag = get_flag(catalog, asked.ids["flag"])
    gone = get_variant(flag, asked.ids["variant"])
    if gone.key == flag.default:
        raise _in_use("whoever gets no treatment gets it")
    for key in sorted(catalog.users.get(f"flag:{flag.key}", frozenset())):
        for iteration in answering(catalog.experiments[key]):
            if any((flag.key, gone.key) in one.sets for one in iteration.treatments):
                raise _in_use("an instance has it among its treatments")
    left = tuple(one for one in flag.variations if one is not gone)
    commands: list[Command] = [SetVariations(flag.key, left, flag.default)]
    if kept(flag, labels_of(gone.key)) is not None:
        commands.append(keep("flag", flag.key, labels_of(gone.key), None))
    return commands


def get_variant(flag: Flag, key: str) -> Variation:
    """The variant that a path names; raises Refusal, 404."""
    return next((one for one in variants_of(flag) if one.key == key), None) or missing("variation")


def show_variant(flag: Flag, variation: Variation, version: Version) -> dict[str, Tree]:
    """The variant as this API spells it; the times are its flag's, whose part it is."""
    return {
        "name": variant_name(flag.key, variation.key),
        **_shown_fields(flag, variation),
        **show_origin(version),
    }


def read_variant_body(body: Place, key: str, *, lone: bool) -> tuple[Variation, Tree]:
    """A new variation and the labels that are kept for it."""
    value = _read_value(body.at("value"), lone=lone)
    variation = Variation(key, value, description=read_text(body.at("description")))
    return variation, read_note(body.at(_LABELS))


def labels_of(key: str) -> str:
    """Where a flag keeps the labels of a variant."""
    return f"variant/{key}/{_LABELS}"


def _shown_fields(flag: Flag, variation: Variation) -> Values:
    labels = kept(flag, labels_of(variation.key))
    return {
        "value": value_of(flag, variation),
        "description": variation.description,
        **({} if labels is None else {_LABELS: labels}),
    }


def _read_value(place: Place, *, lone: bool) -> str:
    known: Collection[str] = (LONE,) if lone else ()
    if lone:
        # Its flag's values are no objects: what stands in the one field is the value.
        place = place.fields(known, known).at(LONE)
    else:
        place.entries(0, VALUE_CHARACTERS_MAX)
    text = json_text(place.tree())
    if len(text) > VALUE_CHARACTERS_MAX:
        raise place.refusal(f"a value has at most {VALUE_CHARACTERS_MAX:,} characters as JSON")
    return text


def _in_use(why: str) -> Refusal:
    return Refusal(400, "FAILED_PRECONDITION", f"the variant is in use: {why}")
