"""A flag's parameters: the entries of its default value, each with a type.

A variation's value is the defaults with its overrides laid over them, in full, so that a client
that resolves the flag needs nothing else. The overrides are what differs from the defaults. A flag
whose values are no objects, made elsewhere, has one parameter that is called `value`.
"""

from __future__ import annotations

import json
from typing import Final

from allotment.dialects.wire.notes import json_text
from allotment.dialects.wire.source import Tree, alike
from allotment.model.flag import Flag, Variation

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
