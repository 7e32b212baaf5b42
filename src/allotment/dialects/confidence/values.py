"""A flag's schema: the types of the fields of its variants' values, and those values in full."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache, reduce
from typing import Final

from allotment.dialects.confidence.names import NOTES
from allotment.dialects.wire.source import Tree
from allotment.model.flag import CLIENT_DEFAULT, Flag, Variation

# Where a flag keeps the schema that was sent: no value is refused for its sake.
SCHEMA: Final = "schema"

# The one field of values that are no objects, as other APIs may make them.
LONE: Final = "value"

_KNOWN_MAX: Final = 4_096
_DOUBLE: Final[Tree] = {"doubleSchema": {}}

Fields = dict[str, Tree]


def variants_of(flag: Flag) -> tuple[Variation, ...]:
    """The variations that this API lists as variants: all but the default in a client's code."""
    if flag.default != CLIENT_DEFAULT:
        return flag.variations
    return tuple(one for one in flag.variations if one.key != CLIENT_DEFAULT)


def is_lone(flag: Flag) -> bool:
    """Whether some value of the flag is no object, so that all show one field, `value`."""
    return not all(one.value.lstrip().startswith("{") for one in variants_of(flag))


def value_of(flag: Flag, variation: Variation) -> Fields:
    """The variation's value as an object, as this API has no others."""
    return as_object(json.loads(variation.value), is_lone(flag))


def as_object(value: Tree, lone: bool) -> Fields:
    """The value, or an object around it."""
    return value if isinstance(value, dict) and not lone else {LONE: value}


@lru_cache(_KNOWN_MAX)
def schema_of(flag: Flag) -> Fields:
    """The types of all fields: as the values have them, and else as the schema that was sent.

    It is made once for each flag as it stands, and is never to be changed.
    """
    sent = NOTES.kept(flag, SCHEMA)
    told = sent.get("schema") if isinstance(sent, dict) else None
    found = _struct(value_of(flag, one) for one in variants_of(flag))
    for name, kind in told.items() if isinstance(told, dict) else ():
        found[name] = _merged(found.get(name), kind)
    return found


def filled(value: Fields, schema: Fields) -> Fields:
    """The value with null for each field that it lacks and the schema has.

    A whole number in a field of fractions is one of them: clients tell 2 from 2.0.
    """
    found = dict(value)
    for name, kind in schema.items():
        found[name] = _as(kind, value.get(name))
    return found


def _as(kind: Tree, value: Tree) -> Tree:
    inner = _fields(kind)
    if isinstance(value, dict) and inner is not None:
        return filled(value, inner)
    if isinstance(value, int) and not isinstance(value, bool) and kind == _DOUBLE:
        return float(value)
    if isinstance(value, list) and isinstance(kind, dict) and "listSchema" in kind:
        elements = _at(kind, "elementSchema")
        return [_as(elements, each) for each in value]
    return value


def _struct(values: Iterable[Fields]) -> Fields:
    found: Fields = {}
    for value in values:
        for name, item in value.items():
            found[name] = _merged(found.get(name), _type(item))
    # Of what is null wherever it is, nothing is known.
    return {name: kind for name, kind in found.items() if kind is not None}


def _type(value: Tree) -> Tree:
    if isinstance(value, bool):
        return {"boolSchema": {}}
    if isinstance(value, str):
        return {"stringSchema": {}}
    if isinstance(value, int | float):
        return {"intSchema": {}} if isinstance(value, int) else _DOUBLE
    if isinstance(value, list):
        elements = reduce(_merged, map(_type, value), None)
        return {"listSchema": {} if elements is None else {"elementSchema": elements}}
    return None if value is None else {"structSchema": {"schema": _struct([value])}}


def _merged(one: Tree, other: Tree) -> Tree:
    """The type of what has either type; where no type has both, the first."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return one if isinstance(one, dict) else other
    kinds = {*one, *other}
    if kinds == {"intSchema", "doubleSchema"}:
        return _DOUBLE
    if kinds == {"listSchema"}:
        elements = _merged(_at(one, "elementSchema"), _at(other, "elementSchema"))
        return {"listSchema": {} if elements is None else {"elementSchema": elements}}
    mine, its = _fields(one), _fields(other)
    if mine is None or its is None:
        return one
    both: Fields = {name: _merged(mine.get(name), its.get(name)) for name in {**mine, **its}}
    return {"structSchema": {"schema": both}}


def _at(kind: dict[str, Tree], name: str) -> Tree:
    inner = kind["listSchema"]
    return inner.get(name) if isinstance(inner, dict) else None


def _fields(kind: Tree) -> Fields | None:
    """The fields of a struct's type; None for that of anything else."""
    struct = kind.get("structSchema") if isinstance(kind, dict) else None
    fields = struct.get("schema") if isinstance(struct, dict) else None
    return fields if isinstance(fields, dict) else None
