"""Variations of feature flags, and the parameters that their values give: changed, and shown.

A flag's parameters are the entries of its default value, each with a type. A variation's value is
the defaults with its overrides laid over them, in full, so that a client that resolves the flag
needs nothing else. The overrides are what differs from the defaults. A flag whose values are no
objects, made elsewhere, has one parameter that is called `value`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from allotment.change.commands import Command, SetVariations
from allotment.dialects.auth0.errors import in_use, name_taken
from allotment.dialects.auth0.fields import (
    Auth0Labels,
    Auth0LabelsUpdate,
    FlagId,
    Moment,
    ShownName,
    VariationId,
)
from allotment.dialects.auth0.names import (
    DEFAULTS,
    FIELDS,
    find_variation,
    id_of,
    noun_at,
    shown_name,
    updated_description,
    variation_at,
    visible,
)
from allotment.dialects.wire.listed import gives, replaced
from allotment.dialects.wire.model import LEFT_OUT, Body, Maybe, Model, Refusal
from allotment.dialects.wire.notes import json_text
from allotment.dialects.wire.operation import Call, Ids, Noun, ReadState
from allotment.dialects.wire.source import Tree, alike, step
from allotment.dialects.wire.spelling import slug
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.flag import Flag, Variation
from allotment.model.instant import show_instant

_VALUE_BYTES_MAX: Final = 1024
ParameterType = Literal["string", "boolean", "number", "array", "object"]
Value = Annotated[Any, Field(description="Any JSON of the parameter's type, at most 1 KB of it.")]


def type_of(value: Tree) -> ParameterType:
    """The type of a JSON value. Null, which this API does not know, is shown as an object."""
    match value:
        case bool():
            return "boolean"
        case str():
            return "string"
        case int() | float():
            return "number"
        case list():
            return "array"
        case _:
            return "object"


def check_value(value: Tree, kind: ParameterType) -> None:
    """Raise ValueError unless the value has the type, and at most 1 KB as JSON."""
    if value is None or type_of(value) != kind:
        raise ValueError(f"a value of type {kind} belongs here")
    if len(json_text(value).encode()) > _VALUE_BYTES_MAX:
        raise ValueError(f"a value has at most {_VALUE_BYTES_MAX:,} bytes as JSON")


class Auth0Override(Body):
    """The value that a variation gives a parameter instead of the default."""

    value: Value


Overrides = dict[str, Auth0Override]


class Auth0VariationCreate(Auth0Labels):
    """The body that adds a variation to a feature flag."""

    overrides: Overrides


class Auth0VariationUpdate(Auth0LabelsUpdate):
    """The body that updates a variation."""

    overrides: Maybe[Overrides] = LEFT_OUT


class Auth0Variation(Model):
    """A variation of a feature flag."""

    id: VariationId
    feature_flag_id: FlagId
    name: ShownName
    description: Maybe[str] = LEFT_OUT
    overrides: Overrides
    created_at: Moment
    updated_at: Moment


class Auth0Variations(Model):
    """All variations of a feature flag, which this API does not page."""

    variations: list[Auth0Variation]


Values = dict[str, Tree]

# The field under which a flag keeps the descriptions of its parameters, by name.
DESCRIPTIONS: Final = "parameters"

_LONE: Final = "value"


def defaults_of(flag: Flag) -> Values:
    """The flag's parameters with their defaults, in their order."""
    default = next(one for one in flag.variations if one.key == flag.default)
    return _values(default, is_lone(flag))


def overrides_of(flag: Flag, variation: Variation) -> Values:
    """The entries of the variation's value that differ from the defaults."""
    defaults = defaults_of(flag)
    values = _values(variation, is_lone(flag))
    return {
        name: value
        for name, value in values.items()
        if name not in defaults or not alike(value, defaults[name])
    }


def value_text(defaults: Values, overrides: Values, lone: bool) -> str:
    """The JSON text of a variation's value, in full."""
    values = {**defaults, **overrides}
    return json_text(values[_LONE] if lone else values)


def is_lone(flag: Flag) -> bool:
    """Whether some value of the flag is no object, so that it has one parameter, `value`."""
    return not all(variation.value.lstrip().startswith("{") for variation in flag.variations)


def _values(variation: Variation, lone: bool) -> Values:
    value: Tree = json.loads(variation.value)
    if lone or not isinstance(value, dict):
        return {_LONE: value}
    return value


# The vendor has a limit and does not say which.
VARIATIONS_MAX: Final = 100


def find_by_id(ids: Ids, catalog: Catalog) -> Noun:
    """The variation that a path names."""
    flag = noun_at("flag", catalog.flags, ids, catalog)
    return Noun("flag", flag.key, variation_at(flag, ids["variation_id"]).key)


def create_variation(call: Call[Auth0VariationCreate], catalog: Catalog) -> list[Command]:
    """Add a variation to a flag."""
    body = call.body
    flag = noun_at("flag", catalog.flags, call.ids, catalog)
    overrides = _read_overrides(body.overrides, flag)
    _check_name_free(body.name, flag)
    if len(visible(flag)) >= VARIATIONS_MAX:
        message = f"A flag has at most {VARIATIONS_MAX} variations"
        raise Refusal(400, "variation_limit_exceeded", message)
    # No variation gets the key of the defaults, as it would not be listed.
    keys = {DEFAULTS, *(one.key for one in flag.variations)}
    key = slug(body.name, keys.__contains__, "variation")
    value = value_text(defaults_of(flag), overrides, is_lone(flag))
    added = Variation(key, value, body.name, body.description or "")
    return [
        SetVariations(flag.key, (*flag.variations, added), flag.default),
        _at(flag, key, "created_at", call.now),
        _at(flag, key, "updated_at", call.now),
    ]


def update_variation(call: Call[Auth0VariationUpdate], catalog: Catalog) -> list[Command]:
    """Edit a variation; overrides replace all overrides there are."""
    body = call.body
    flag = noun_at("flag", catalog.flags, call.ids, catalog)
    old = variation_at(flag, call.ids["variation_id"])
    new = replace(old, description=updated_description(body, old))
    if body.name is not None:
        _check_name_free(body.name, flag)
        new = replace(new, name=body.name)
    if body.overrides is not None:
        overrides = _read_overrides(body.overrides, flag)
        if old.key == flag.default and overrides:
            message = "this variation is the flag's default; change the flag's parameters"
            raise InvalidInput(message, "$.overrides")
        new = replace(new, value=value_text(defaults_of(flag), overrides, is_lone(flag)))
    if new == old:
        return []
    return [replaced(flag, old, new), _at(flag, old.key, "updated_at", call.now)]


def delete_variation(call: Call[None], catalog: Catalog) -> list[Command]:
    """Take a variation from its flag, if it is there."""
    flag = noun_at("flag", catalog.flags, call.ids, catalog)
    gone = find_variation(flag, call.ids["variation_id"])
    if gone is None:
        return []
    if gone.key == flag.default:
        raise in_use("variation", "it is the default of its flag")
    if gives(flag.key, gone.key, catalog):
        raise in_use("variation", "an experiment that is not archived allocates it")
    return [
        replaced(flag, gone, None),
        _at(flag, gone.key, "created_at", None),
        _at(flag, gone.key, "updated_at", None),
    ]


def _at(flag: Flag, key: str, event: str, now: int | None) -> Command:
    """The command that keeps when a variation was created or updated."""
    return FIELDS.keep("flag", flag.key, f"variation/{key}/{event}", now)


def _read_overrides(sent: dict[str, Auth0Override], flag: Flag) -> Values:
    """Values by parameter, each of its parameter's type and other than its default."""
    defaults = defaults_of(flag)
    overrides: Values = {}
    for name, one in sent.items():
        path = step("$.overrides", name)
        if name not in defaults:
            raise InvalidInput("the flag has no such parameter", path)
        try:
            check_value(one.value, type_of(defaults[name]))
        except ValueError as error:
            raise InvalidInput(str(error), f"{path}.value") from None
        if alike(one.value, defaults[name]):
            raise InvalidInput("this is the flag's default already; leave it out", path)
        overrides[name] = one.value
    return overrides


def _check_name_free(name: str, flag: Flag) -> None:
    if any(shown_name(one) == name for one in visible(flag)):
        raise name_taken("variation")


def get_variation(state: ReadState, noun: Noun) -> Auth0Variation:
    """A variation, which is a part of its flag."""
    # Its times are its flag's, where it has none itself.
    flag, version = state.catalog.flags[noun.key], state.versions[noun.name]
    variation = next(one for one in flag.variations if one.key == noun.part)
    created = FIELDS.kept(flag, f"variation/{variation.key}/created_at")
    updated = FIELDS.kept(flag, f"variation/{variation.key}/updated_at")
    overrides = overrides_of(flag, variation)
    return Auth0Variation(
        id=id_of("variation", flag.key, variation.key),
        feature_flag_id=id_of("flag", flag.key),
        name=shown_name(variation),
        description=variation.description or None,
        overrides={name: Auth0Override(value=value) for name, value in overrides.items()},
        created_at=show_instant(created if isinstance(created, int) else version.created_at),
        updated_at=show_instant(updated if isinstance(updated, int) else version.updated_at),
    )


def list_variations(state: ReadState, noun: Noun) -> Auth0Variations:
    """All variations of a flag."""
    keys = [one.key for one in visible(state.catalog.flags[noun.key])]
    return Auth0Variations(variations=[get_variation(state, noun._replace(part=k)) for k in keys])
