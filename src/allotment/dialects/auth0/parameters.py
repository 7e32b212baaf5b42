"""A flag's parameters: the entries of its default value, each with a type.

A variation's value is the defaults with its overrides laid over them, in full, so that whoever
resolves the flag needs nothing else. What a variation overrides is what differs from the defaults.
A flag whose values are no objects, made elsewhere, shows one parameter that is called `value`.
"""

from __future__ import annotations

import json
from typing import Final

from allotment.dialects.auth0.kept import Values, json_text, kept
from allotment.dialects.wire.alike import alike
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.model.flag import Flag, Variation

# Under this path a flag keeps the descriptions of its parameters, by name.
DESCRIPTIONS: Final = "parameters"

_PARAMETERS_MAX: Final = 10
_NAME_MAX: Final = 255
_DESCRIPTION_MAX: Final = 255
_VALUE_BYTES_MAX: Final = 1024

_LONE: Final = "value"

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "boolean": (bool,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
}


def read_parameters(place: Place) -> tuple[Values, Values]:
    """Values and descriptions by name, 1 to 10 of them."""
    values: Values = {}
    descriptions: Values = {}
    for name, entry in place.entries(1, _PARAMETERS_MAX):
        if not 1 <= len(name) <= _NAME_MAX:
            raise entry.refusal(f"a parameter's name has 1 to {_NAME_MAX} characters")
        entry.fields(("type", "value", "description"), ("type", "value"))
        kind = entry.at("type").word(_TYPES)
        values[name] = read_value(entry.at("value"), kind)
        if entry.at("description").given:
            descriptions[name] = entry.at("description").text(0, _DESCRIPTION_MAX)
    return values, descriptions


def read_value(place: Place, kind: str) -> Tree:
    """A value of the type, of at most 1 KB as JSON."""
    value = place.tree()
    if value is None or type_of(value) != kind:
        raise place.refusal(f"a value of type {kind} belongs here")
    if len(json_text(value).encode()) > _VALUE_BYTES_MAX:
        raise place.refusal(f"a value has at most {_VALUE_BYTES_MAX:,} bytes as JSON")
    return value


def read_overrides(place: Place, defaults: Values) -> Values:
    """Values by parameter, each of its parameter's type and other than its default."""
    overrides: Values = {}
    for name, entry in place.entries(0, max(len(defaults), _PARAMETERS_MAX)):
        if name not in defaults:
            raise entry.refusal("the flag has no such parameter")
        entry.fields(("value",), ("value",))
        value = read_value(entry.at("value"), type_of(defaults[name]))
        if alike(value, defaults[name]):
            raise entry.refusal("this is the flag's default already; leave it out")
        overrides[name] = value
    return overrides


def show_parameters(flag: Flag) -> Tree:
    """The parameters as this API spells them."""
    descriptions = kept(flag, DESCRIPTIONS)
    known = descriptions if isinstance(descriptions, dict) else {}
    shown: dict[str, Tree] = {}
    for name, value in defaults_of(flag).items():
        shown[name] = {"type": type_of(value), "value": value}
        if name in known:
            shown[name] = {"type": type_of(value), "value": value, "description": known[name]}
    return shown


def show_overrides(flag: Flag, variation: Variation) -> Tree:
    """What the variation overrides as this API spells it."""
    return {name: {"value": value} for name, value in overrides_of(flag, variation).items()}


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
    """Whether some value of the flag is no object, so that it shows one parameter, `value`."""
    return not all(variation.value.lstrip().startswith("{") for variation in flag.variations)


def type_of(value: Tree) -> str:
    """The type of a JSON value. Null, which this API does not know, is shown as an object."""
    if isinstance(value, bool):
        return "boolean"
    return next((name for name, kinds in _TYPES.items() if isinstance(value, kinds)), "object")


def _values(variation: Variation, lone: bool) -> Values:
    value: Tree = json.loads(variation.value)
    if lone or not isinstance(value, dict):
        return {_LONE: value}
    return value
