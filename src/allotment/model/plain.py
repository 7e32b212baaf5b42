"""Nouns and commands as plain data (dict, list, str, int, bool, None) and back, without loss.

The store keeps documents in this form, and fingerprints are computed over it. A dataclass becomes a
dict of the fields that differ from their defaults, with the name of its class under "is"; a Keyed
becomes a dict; an IdList becomes a list of text. On the way in a share may stand as in a catalog
file: `"share": "12.5%"` is `"share_ppm": 125000`.
"""

from __future__ import annotations

import types
import typing
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Final

from allotment.errors import InvalidInput
from allotment.model.keyed import Keyed
from allotment.model.number import read_percent
from allotment.model.segment import IdList

Plain = Any

# How the name of a field ends that holds a share; without the end it is a catalog file's name.
PPM: Final = "_ppm"


def to_plain(value: object) -> Plain:
    """`value` as plain data; every dataclass in it carries its class under "is"."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, IdList):
        return list(value)
    if isinstance(value, Keyed):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    if is_dataclass(value):
        plain: dict[str, Plain] = {"is": type(value).__name__}
        for field in fields(value):
            item = getattr(value, field.name)
            if field.compare and item != _default(field):
                plain[field.name] = to_plain(item)
        return plain
    raise TypeError(f"{type(value).__name__} has no plain form")


def from_plain(wanted: Any, plain: Plain, path: str = "$") -> Any:
    """The value of type `wanted` that `to_plain` spelled; raises InvalidInput for another's."""
    try:
        return _from_plain(wanted, plain, path)
    except (TypeError, ValueError, KeyError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(f"this is not the plain form of {wanted}: {error}", path) from error


def _from_plain(wanted: Any, plain: Plain, path: str) -> Any:
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (typing.Union, types.UnionType):
        return _from_union(arguments, plain, path)
    if wanted is IdList:
        return IdList.of(_a(list, plain, path), path)
    if origin is Keyed:
        (item,) = arguments
        return Keyed(
            (key, _from_plain(item, value, f"{path}.{key}"))
            for key, value in _a(dict, plain, path).items()
        )
    if origin is tuple:
        many = arguments[-1:] == (...,)
        return _row(arguments[:1] * len(_a(list, plain, path)) if many else arguments, plain, path)
    if isinstance(wanted, type) and issubclass(wanted, tuple):
        return wanted(*_row(tuple(_hints(wanted).values()), plain, path))
    if isinstance(wanted, type) and is_dataclass(wanted):
        return _from_object(wanted, plain, path)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        if not any(plain == each.value for each in wanted):
            words = ", ".join(str(each.value) for each in wanted)
            raise InvalidInput(f"one of {words} belongs here", path)
        return wanted(plain)
    return _a(wanted, plain, path)


def _from_object(wanted: type, plain: Plain, path: str) -> Any:
    hints, name = _hints(wanted), wanted.__name__
    if _a(dict, plain, path).get("is", name) != name:
        raise InvalidInput(f"a {name} belongs here", f"{path}.is")
    values = {}
    for key, item in plain.items():
        if key == "is":
            continue
        at, as_parts = f"{path}.{key}", f"{key}{PPM}"
        if key in hints:
            values[key] = _from_plain(hints[key], item, at)
        elif as_parts not in hints:
            raise InvalidInput(f"a {name} has no other fields than {', '.join(hints)}", path)
        elif as_parts in plain:
            raise InvalidInput(f"{key} and {as_parts} say the same: leave one out", at)
        else:
            values[as_parts] = read_percent(item, at)
    try:
        return wanted(**values)
    except TypeError:
        missing = [key for key in _needed(wanted) if key not in values]
        if not missing:
            raise
        raise InvalidInput(f"a {name} has the field {missing[0]} too", path) from None


def _row(wanted: tuple[Any, ...], plain: Plain, path: str) -> tuple[Any, ...]:
    if len(_a(list, plain, path)) != len(wanted):
        raise InvalidInput(f"a list of {len(wanted)} belongs here", path)
    return tuple(
        _from_plain(item, value, f"{path}[{index}]")
        for index, (item, value) in enumerate(zip(wanted, plain, strict=True))
    )


def _a(wanted: type, plain: Plain, path: str) -> Any:
    """`plain`, which is of exactly the type that is wanted: True is no integer."""
    if type(plain) is not wanted:
        raise InvalidInput(f"this is {type(plain).__name__}, not {wanted.__name__}", path)
    return plain


def _from_union(arguments: tuple[Any, ...], plain: Plain, path: str) -> Any:
    if isinstance(plain, dict):
        named = {a.__name__: a for a in arguments if isinstance(a, type) and is_dataclass(a)}
        name = plain.get("is")
        if not isinstance(name, str) or name not in named:
            raise InvalidInput(f"this is one of {', '.join(named)}", f"{path}.is")
        return _from_plain(named[name], plain, path)
    for argument in arguments:
        if plain is None and argument is type(None):
            return None
        if type(plain) is argument:
            return plain
    raise InvalidInput(f"this is {type(plain).__name__}, which does not belong here", path)


def _needed(wanted: Any) -> list[str]:
    """The fields that have no default."""
    return [
        field.name
        for field in fields(wanted)
        if field.default is MISSING and field.default_factory is MISSING
    ]


def _default(field: Field[Any]) -> object:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


@cache
def _hints(wanted: type) -> dict[str, Any]:
    return typing.get_type_hints(wanted)
