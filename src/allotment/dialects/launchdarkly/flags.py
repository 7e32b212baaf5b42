"""Flags, as far as experiments need them: created with variations and a default, and deleted.

A flag has one default here, which is served wherever no experiment decides, be the flag on or off.
What this API has of a flag and the model lacks is stored with it.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Annotated, Any, Final

from pydantic import Field

from allotment.change.commands import Command, Create, Delete
from allotment.dialects.launchdarkly.codes import INVALID, invalid, taken
from allotment.dialects.launchdarkly.fields import (
    ITEMS_MAX,
    Description,
    Key,
    Label,
    LDBody,
    Name,
    Tags,
    Text,
    Whole,
)
from allotment.dialects.launchdarkly.ids import NOTES, by_key
from allotment.dialects.wire.model import LEFT_OUT, must
from allotment.dialects.wire.notes import json_text
from allotment.dialects.wire.operation import Call
from allotment.dialects.wire.source import Tree, alike
from allotment.dialects.wire.spelling import slug
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.flag import Flag, FlagState, Variation

_VARIATIONS_MAX: Final = 256

# What a flag has where the request names no variations.
_BOOLEAN: Final = (Variation("true", "true"), Variation("false", "false"))


Json = Annotated[Any, Field(description="Any JSON.")]
Entries = Field(max_length=ITEMS_MAX)
Nothing = Annotated[
    Any,
    must(
        lambda value: value in (None, [], {}),
        "flags have no prerequisites and no migrations here",
        INVALID,
    ),
    Field(description="Refused unless it is empty."),
]


class LDVariationInput(LDBody):
    """A variation of a new flag."""

    value: Json
    name: Label | None = LEFT_OUT
    description: Description | None = LEFT_OUT


Variations = Annotated[list[LDVariationInput], Field(min_length=1, max_length=_VARIATIONS_MAX)]


class LDDefaults(LDBody):
    """Which variation, by its position, a flag serves while it is on, and while it is off.

    Of a flag that is there it steers nothing: a new environment of the vendor's would begin so.
    """

    onVariation: Whole
    offVariation: Whole


class LDFlagFields(LDBody):
    """What is stored with a flag and given back as it was sent."""

    temporary: bool | None = LEFT_OUT
    tags: Tags | None = LEFT_OUT
    maintainerId: Text | None = LEFT_OUT
    maintainerTeamKey: Text | None = LEFT_OUT
    purpose: Text | None = LEFT_OUT
    includeInSnippet: bool | None = LEFT_OUT
    clientSideAvailability: Annotated[dict[str, bool], Entries] | None = LEFT_OUT
    customProperties: Annotated[dict[str, Any], Entries] | None = LEFT_OUT
    defaults: LDDefaults | None = LEFT_OUT


class LDFlagPost(LDFlagFields):
    """The body that creates a flag."""

    key: Key
    name: Name
    description: Description | None = LEFT_OUT
    variations: Variations | None = LEFT_OUT
    isFlagOn: bool | None = LEFT_OUT
    initialPrerequisites: Nothing = LEFT_OUT
    migrationSettings: Nothing = LEFT_OUT


def post_feature_flag(call: Call[LDFlagPost], catalog: Catalog) -> list[Command]:
    """Create a flag in all environments of the project, off unless `isFlagOn` says otherwise.

    Its default is what `defaults` say of a flag that is so: the vendor's own are the first
    variation for one that is on, and the last for one that is off.
    """
    body, variations = call.body, [*_BOOLEAN]
    if body.variations:
        variations = []
        for index, said in enumerate(body.variations):
            variations.append(new_variation(said, f"$.variations[{index}]", variations))
    last = len(variations) - 1
    defaults = body.defaults or LDDefaults(onVariation=0, offVariation=last)
    for name, index in defaults:
        if index > last:
            message = f"a whole number from 0 to {last} belongs here"
            raise InvalidInput(message, f"$.defaults.{name}")
    kept = body.model_dump(mode="json", include={*LDFlagFields.model_fields})
    flag = Flag(
        body.key,
        tuple(variations),
        variations[defaults.onVariation if body.isFlagOn else defaults.offVariation].key,
        body.name,
        body.description or "",
        FlagState.ON if body.isFlagOn else FlagState.OFF,
        kept=NOTES.on_new({**kept, "defaults": defaults.plain()}),
    )
    if flag.key in catalog.flags:
        raise taken("flag")
    return [Create(flag)]


def delete_feature_flag(call: Call[None], catalog: Catalog) -> list[Command]:
    """Delete a flag from all environments of the project."""
    return [Delete("flag", by_key("flag")(call.ids, catalog).key)]


def new_variation(said: LDVariationInput, path: str, others: Collection[Variation]) -> Variation:
    """One more variation beside the others. Its key is its name, or its value, made a key."""
    check_value_free(said.value, path, others)
    text, taken_keys = json_text(said.value), {one.key for one in others}
    base = said.name or (text if isinstance(said.value, bool | int | float | str) else "")
    key = slug(base, taken_keys.__contains__, "variation")
    return Variation(key, text, said.name or "", said.description or "")


def check_value_free(value: Tree, path: str, others: Collection[Variation]) -> None:
    """Raise the 400 for the value of another variation."""
    if any(alike(value_of(one), value) for one in others):
        raise invalid("another variation has this value", f"{path}.value")


def value_of(variation: Variation) -> Tree:
    """The variation's value."""
    tree: Tree = json.loads(variation.value)
    return tree


def fields_of(flag: Flag) -> LDFlagFields:
    """What is stored with the flag for this API alone."""
    return NOTES.read_fields(flag, LDFlagFields)
