"""Nouns and commands as plain data (dict, list, str, int, bool, None) and back, without loss.

The store keeps documents in this form, and fingerprints are computed over it. A dataclass becomes a
dict of the fields that differ from their defaults, with the name of its class under "is"; a Keyed
becomes a dict; an IdList becomes a list of text. On the way in a share may stand as in a catalog
file: `"share": "12.5%"` is `"share_ppm": 125000`.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Final, TypeAlias

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
        return _reader(wanted)(plain)
    except _Misfit as misfit:
        raise InvalidInput(misfit.message, f"{path}{misfit.path}") from None
    except (TypeError, ValueError, KeyError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(f"this is not the plain form of {wanted}: {error}", path) from error


class _Misfit(Exception):
    """What does not fit, and where; each step on the way out puts itself before the path."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path


_Reader: TypeAlias = Callable[[Plain], Any]


@cache
def _reader(wanted: Any) -> _Reader:
    """What reads a value of the type. Made once a type: a catalog has a million values."""
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (typing.Union, types.UnionType):
        return _union(arguments)
    if wanted is IdList:
        return lambda plain: _in_path(IdList.of, _a(list, plain))
    if origin is Keyed:
        return _keyed(arguments[0])
    if origin is tuple:
        return _many(arguments[0]) if arguments[-1:] == (...,) else _row(arguments, tuple)
    if isinstance(wanted, type) and issubclass(wanted, tuple):
        return _row(tuple(_hints(wanted).values()), wanted._make)  # type: ignore[attr-defined]
    if isinstance(wanted, type) and is_dataclass(wanted):
        return _object(wanted)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return _enum(wanted)
    return lambda plain: _a(wanted, plain)


def _object(wanted: type) -> _Reader:
    name = wanted.__name__

    def read(plain: Plain) -> Any:
        fields = _fields(wanted)
        if _a(dict, plain).get("is", name) != name:
            raise _Misfit(f"a {name} belongs here", ".is")
        if not plain.keys() <= fields.keys():
            raise _Misfit(f"a {name} has no other fields than {', '.join(_hints(wanted))}")
        values: dict[str, Any] = {}
        key = ""
        try:
            for key, item in plain.items():
                if key == "is":
                    continue
                field, reader = fields[key]
                if field in values:
                    short = field.removesuffix(PPM)
                    raise _Misfit(f"{short} and {field} say the same: leave one out")
                values[field] = reader(item)
        except _Misfit as misfit:
            raise _Misfit(misfit.message, f".{key}{misfit.path}") from None
        try:
            return wanted(**values)
        except TypeError:
            missing = [key for key in _needed(wanted) if key not in values]
            if not missing:
                raise
            raise _Misfit(f"a {name} has the field {missing[0]} too") from None

    return read


@cache
def _fields(wanted: type) -> dict[str, tuple[str, _Reader]]:
    """What an object may have, each with the field that it is of and with what reads it."""
    known: dict[str, tuple[str, _Reader]] = {"is": ("is", str)}
    for field, hint in _hints(wanted).items():
        known[field] = field, _reader(hint)
        if field.endswith(PPM):
            known[field.removesuffix(PPM)] = field, _percent
    return known


def _percent(plain: Plain) -> Any:
    """A share that stands as in a catalog file."""
    return _in_path(lambda share: read_percent(share, ""), plain)


def _keyed(item: Any) -> _Reader:
    reader = _reader(item)

    def read(plain: Plain) -> Any:
        items = []
        key = ""
        try:
            for key, value in _a(dict, plain).items():
                items.append((key, reader(value)))
        except _Misfit as misfit:
            raise _Misfit(misfit.message, f".{key}{misfit.path}" if key else misfit.path) from None
        return Keyed(items)

    return read


def _many(item: Any) -> _Reader:
    reader = _reader(item)

    def read(plain: Plain) -> Any:
        values: list[Any] = []
        append = values.append
        many = _a(list, plain)
        try:
            for value in many:
                append(reader(value))
        except _Misfit as misfit:
            raise _Misfit(misfit.message, f"[{len(values)}]{misfit.path}") from None
        return tuple(values)

    return read


def _row(wanted: tuple[Any, ...], make: Callable[[list[Any]], Any]) -> _Reader:
    readers = [_reader(each) for each in wanted]

    def read(plain: Plain) -> Any:
        if len(_a(list, plain)) != len(readers):
            raise _Misfit(f"a list of {len(readers)} belongs here")
        values: list[Any] = []
        try:
            for reader, value in zip(readers, plain, strict=True):
                values.append(reader(value))
        except _Misfit as misfit:
            raise _Misfit(misfit.message, f"[{len(values)}]{misfit.path}") from None
        return make(values)

    return read


def _enum(wanted: type[Enum]) -> _Reader:
    def read(plain: Plain) -> Any:
        for each in wanted:
            if plain == each.value:
                return each
        raise _Misfit(f"one of {', '.join(str(each.value) for each in wanted)} belongs here")

    return read


def _union(arguments: tuple[type | None, ...]) -> _Reader:
    named: dict[str, Any] = {each.__name__: each for each in arguments if is_dataclass(each)}
    scalars = tuple(types.NoneType if each is None else each for each in arguments)

    def read(plain: Plain) -> Any:
        if isinstance(plain, dict):
            name = plain.get("is")
            if not isinstance(name, str) or name not in named:
                raise _Misfit(f"this is one of {', '.join(named)}", ".is")
            return _reader(named[name])(plain)
        if type(plain) in scalars:
            return plain
        raise _Misfit(f"this is {type(plain).__name__}, which does not belong here")

    return read


def _in_path(read: Callable[[Any], Any], plain: Plain) -> Any:
    """What `read` gives; what it refuses is refused at its place."""
    try:
        return read(plain)
    except InvalidInput as error:
        raise _Misfit(error.message, error.path or "") from None


def _a(wanted: type, plain: Plain) -> Any:
    """`plain`, which is of exactly the type that is wanted: True is no integer."""
    if type(plain) is not wanted:
        raise _Misfit(f"this is {type(plain).__name__}, not {wanted.__name__}")
    return plain


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
