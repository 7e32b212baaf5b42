"""Variants of flags: changed, and shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from allotment.change.commands import Command, SetVariations
from allotment.dialects.confidence.codes import missing, precondition
from allotment.dialects.confidence.fields import (
    IS_ID,
    OUTPUT_ONLY,
    ConfidenceNothing,
    ConfidenceOrigin,
    Kept,
    Text,
    id_form,
    pattern,
)
from allotment.dialects.confidence.names import (
    NOTES,
    labels_of,
    new_id,
    noun_at,
    show_origin,
    variant_name,
)
from allotment.dialects.confidence.protobuf import Edit, Message
from allotment.dialects.confidence.values import LONE, is_lone, value_of, variants_of
from allotment.dialects.wire.listed import gives, replaced
from allotment.dialects.wire.model import LEFT_OUT, NOT_BLANK, Body, Maybe, Model, must
from allotment.dialects.wire.notes import json_text
from allotment.dialects.wire.operation import Call, Noun, ReadState
from allotment.dialects.wire.source import Tree, step
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.flag import CLIENT_DEFAULT, Flag, Variation
from allotment.model.limits import TEXT_CHARACTERS_MAX

VARIANTS_MAX: Final = 100
VALUE_CHARACTERS_MAX: Final = 65_536


Value = Annotated[
    dict[str, Any],
    must(
        lambda value: len(json_text(value)) <= VALUE_CHARACTERS_MAX,
        f"a value has at most {VALUE_CHARACTERS_MAX:,} characters as JSON",
    ),
]
VariantName = Annotated[str, Field(min_length=1, max_length=TEXT_CHARACTERS_MAX), NOT_BLANK]


class ConfidenceVariantFields(Message):
    """What a request may set of a variant beside its value."""

    description: Text | None = LEFT_OUT
    labels: Kept = LEFT_OUT


class ConfidenceVariantCreate(ConfidenceVariantFields):
    """The body that adds a variant."""

    output_only: ClassVar = OUTPUT_ONLY

    value: Value


class ConfidenceNewVariant(ConfidenceVariantFields):
    """A variant of a new flag."""

    output_only: ClassVar = tuple(ConfidenceOrigin.model_fields)

    name: VariantName
    value: Value


class ConfidenceVariantEdit(ConfidenceVariantFields, Edit):
    """The body that changes a variant."""

    output_only: ClassVar = OUTPUT_ONLY

    value: Maybe[Value] = LEFT_OUT


class ConfidenceVariant(ConfidenceVariantFields, ConfidenceOrigin):
    """A variant of a flag."""

    name: Annotated[str, pattern("^flags/[^/]+/variants/.")]
    value: dict[str, Any]
    description: str


class ConfidenceVariants(Model):
    """The variants of a flag."""

    variants: list[ConfidenceVariant]
    nextPageToken: str


class ConfidenceVariantId(Body):
    """The id of a new variant."""

    variantId: Maybe[Annotated[str, id_form(), IS_ID]] = LEFT_OUT


def create_variant(
    call: Call[ConfidenceVariantCreate], catalog: Catalog, query: ConfidenceVariantId
) -> list[Command]:
    """Add a variant to a flag."""
    flag, body = noun_at("flag", catalog.flags, call.ids), call.body
    # The key of the hidden variation is never given away: such a variant would not be listed.
    keys = {CLIENT_DEFAULT, *(one.key for one in flag.variations)}
    key = new_id(query.variantId, "variation", keys, call)
    value = _value_text(body.value, lone=bool(variants_of(flag)) and is_lone(flag))
    if len(variants_of(flag)) >= VARIANTS_MAX:
        raise precondition(f"a flag has at most {VARIANTS_MAX} variants")
    added = Variation(key, value, description=body.description or "")
    commands: list[Command] = [SetVariations(flag.key, (*flag.variations, added), flag.default)]
    if body.labels is not None:
        commands.append(NOTES.keep("flag", flag.key, labels_of(key), body.labels))
    return commands


def update_variant(call: Call[ConfidenceVariantEdit], catalog: Catalog) -> list[Command]:
    """Change what a mask names of a variant, or else what the body gives."""
    flag, body = noun_at("flag", catalog.flags, call.ids), call.body
    old = new = variant_at(flag, call.ids["variant"])
    if body.value is not None:
        new = replace(new, value=_value_text(body.value, lone=is_lone(flag)))
    if "description" in body.model_fields_set:
        new = replace(new, description=body.description or "")
    commands: list[Command] = []
    if new != old:
        commands.append(replaced(flag, old, new))
    if "labels" in body.model_fields_set:
        commands.append(NOTES.keep("flag", flag.key, labels_of(old.key), body.labels))
    return commands


def delete_variant(call: Call[None], catalog: Catalog) -> list[Command]:
    """Take a variant from its flag."""
    flag = noun_at("flag", catalog.flags, call.ids)
    gone = variant_at(flag, call.ids["variant"])
    if gone.key == flag.default:
        raise precondition("the variant is in use: who gets no treatment gets it")
    if gives(flag.key, gone.key, catalog):
        raise precondition("the variant is in use: an instance has it as a treatment")
    commands: list[Command] = [replaced(flag, gone, None)]
    if NOTES.kept(flag, labels_of(gone.key)) is not None:
        commands.append(NOTES.keep("flag", flag.key, labels_of(gone.key), None))
    return commands


def variant_at(flag: Flag, key: str) -> Variation:
    """The variant that a path names; raises Refusal, 404."""
    return next((one for one in variants_of(flag) if one.key == key), None) or missing("variation")


def _value_text(value: dict[str, Tree], *, lone: bool) -> str:
    """The JSON text of a variation's value; a lone one is in one field of an object."""
    if not lone:
        return json_text(value)
    wrong = next((name for name in value if name != LONE), None)
    if wrong is not None or LONE not in value:
        message = f"the values of this flag are no objects; `{LONE}` alone belongs here"
        raise InvalidInput(message, step("$.value", wrong or LONE))
    return json_text(value[LONE])


def list_variants(state: ReadState, noun: Noun) -> ConfidenceVariants:
    """All variants of a flag, which are few."""
    keys = [one.key for one in variants_of(state.catalog.flags[noun.key])]
    shown = [get_variant(state, noun._replace(part=key)) for key in keys]
    return ConfidenceVariants(variants=shown, nextPageToken="")


def get_variant(state: ReadState, noun: Noun) -> ConfidenceVariant:
    """A variant. Its times are its flag's, whose part it is."""
    flag = state.catalog.flags[noun.key]
    variation = variant_at(flag, noun.part)
    return ConfidenceVariant(
        name=variant_name(flag.key, variation.key),
        value=value_of(flag, variation),
        description=variation.description,
        labels=NOTES.kept(flag, labels_of(variation.key)),
        **show_origin(state.versions[noun.name]),
    )


def show_nothing(_state: ReadState, _noun: Noun) -> ConfidenceNothing:
    """What is left of what was deleted."""
    return ConfidenceNothing()
