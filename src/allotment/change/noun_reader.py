"""Reads nouns from their plain form or from its JSON, by msgspec where it can.

`model.plain` says what the form means, and takes three times as long. The mirror of a noun's class,
made from its fields, takes nothing that `from_plain` refuses: no other field, no other class, no
number for a truth value. What it does not take, such as a share in per cent, `from_plain` reads, or
refuses with the path of the fault.
"""

from __future__ import annotations

import json
import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Final, cast

import msgspec

from allotment.change.commands import Noun
from allotment.change.kinds import KINDS
from allotment.model.plain import Plain, from_plain

# Its conditions are one of several classes, which msgspec does not make.
_SLOW: Final = "segment"


def read_noun(kind: str, plain: Plain, path: str = "$") -> Noun:
    """The noun that `to_plain` spelled; raises InvalidInput as `from_plain` does."""
    if kind != _SLOW:
        try:
            return _noun_of(kind, msgspec.convert(plain, _mirror_of(kind)))
        except (msgspec.ValidationError, UnicodeError):
            pass
    return cast(Noun, from_plain(KINDS[kind], plain, path))


def noun_of_json(kind: str, text: str) -> Noun:
    """The same of JSON, with no plain form in between; raises ValueError for what is no JSON."""
    if kind != _SLOW:
        try:
            return _noun_of(kind, _decoder(kind).decode(text))
        except (msgspec.DecodeError, UnicodeError):
            pass
    return read_noun(kind, read_json(text))


def _noun_of(kind: str, mirrored: object) -> Noun:
    return cast(Noun, msgspec.convert(mirrored, cast(Any, KINDS[kind]), from_attributes=True))


def _mirror_of(kind: str) -> Any:
    wanted: Any = KINDS[kind]
    return _mirror(wanted)


@cache
def _decoder(kind: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(_mirror_of(kind))


@cache
def _mirror(wanted: type) -> Any:
    """A struct with the fields of a dataclass, which refuses what is not of that class."""
    hints = typing.get_type_hints(wanted)
    mirrored: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for field in fields(wanted):
        kind = _mirrored(hints[field.name])
        if field.default is not MISSING:
            mirrored.append((field.name, kind, field.default))
        else:
            mirrored.append((field.name, kind))
    name = wanted.__name__
    return msgspec.defstruct(
        name, mirrored, kw_only=True, gc=False, tag_field="is", tag=name, forbid_unknown_fields=True
    )


def _mirrored(hint: Any) -> Any:
    """The type with the mirrors of the dataclasses in it."""
    if isinstance(hint, type) and is_dataclass(hint):
        return _mirror(hint)
    parts = tuple(each if each is ... else _mirrored(each) for each in typing.get_args(hint))
    if not parts:
        return hint
    if isinstance(hint, types.UnionType):
        return typing.Union[parts]  # noqa: UP007  # of a tuple of types
    return typing.get_origin(hint)[parts]


def read_json(text: bytes | str) -> Any:
    """What JSON text says; raises ValueError for what is none."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return json.loads(text)  # slower, and it takes half a pair of surrogates
