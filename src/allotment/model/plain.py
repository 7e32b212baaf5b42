"""Nouns and commands as plain data (dict, list, str, int, bool, None) and back, without loss.

The store keeps documents this way and fingerprints are taken over it. A dataclass becomes a dict of
the fields that differ from their defaults, under "is" the name of its class where a union has to be
told apart; a Keyed becomes a dict; an IdList a list of text.
"""

from __future__ import annotations

import types
import typing
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any

from allotment.errors import InvalidInput
from allotment.model.idlist import IdList
from allotment.model.keyed import Keyed

Plain = Any


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
        return IdList.of(plain, path)
    if origin is Keyed:
        (item,) = arguments
        return Keyed(
            (key, _from_plain(item, value, f"{path}.{key}")) for key, value in plain.items()
        )
    if origin is tuple:
        items = arguments[:1] * len(plain) if arguments[-1:] == (...,) else arguments
        return tuple(
            _from_plain(item, value, f"{path}[{index}]")
            for index, (item, value) in enumerate(zip(items, plain, strict=True))
        )
    if isinstance(wanted, type) and issubclass(wanted, tuple):
        hints = _hints(wanted)
        return wanted(
            *(_from_plain(h, v, path) for h, v in zip(hints.values(), plain, strict=True))
        )
    if isinstance(wanted, type) and is_dataclass(wanted):
        hints = _hints(wanted)
        values = {k: _from_plain(hints[k], v, f"{path}.{k}") for k, v in plain.items() if k != "is"}
        return wanted(**values)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return wanted(plain)
    if type(plain) is not wanted:
        raise InvalidInput(f"this is {type(plain).__name__}, not {wanted.__name__}", path)
    return plain


def _from_union(arguments: tuple[Any, ...], plain: Plain, path: str) -> Any:
    if isinstance(plain, dict):
        named = {a.__name__: a for a in arguments if isinstance(a, type) and is_dataclass(a)}
        return _from_plain(named[plain["is"]], plain, path)
    for argument in arguments:
        if plain is None and argument is type(None):
            return None
        if type(plain) is argument:
            return plain
    raise InvalidInput(f"this is {type(plain).__name__}, which does not belong here", path)


def _default(field: Field[Any]) -> object:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


@cache
def _hints(wanted: type) -> dict[str, Any]:
    return typing.get_type_hints(wanted)
