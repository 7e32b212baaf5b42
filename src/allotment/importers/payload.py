"""How importers read a payload: strictly, each part into a struct, with the place of a fault."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn, TypeVar

import msgspec

from allotment.errors import InvalidInput
from allotment.model.flag import CLIENT_DEFAULT, Variation
from allotment.model.text import check_key

T = TypeVar("T")

_FAULT: Final = re.compile(r"(.*?)(?: - at `(?:key in )?\$(.*)`)?\Z", re.DOTALL)
_UNKNOWN: Final = "Object contains unknown field"


class LeftOut(Exception):  # it is no error: a note is made of it
    """What the model cannot say exactly, so that the flag is left out: where, and why."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(path, message)
        self.path = path
        self.message = message


class PayloadPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A part of a payload. A field that is not known may decide something, so it is not read
    over."""


def part(kind: type[T], value: Any, path: str) -> T:
    """`value` as a `kind`.

    Raises InvalidInput with the path where it is none, and LeftOut for a field that is not known.
    """
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as fault:
        found = _FAULT.match(str(fault))
        message, below = found.groups() if found else (str(fault), None)
        here = f"{path}{below or ''}"
        if message.startswith(_UNKNOWN):
            raise LeftOut(here, f"{message[0].lower()}{message[1:]}; it may decide") from None
        raise InvalidInput(message, here) from None


def mapping(value: Any, path: str) -> Mapping[str, Any]:
    """`value` if it is an object of JSON; raises InvalidInput where it is not."""
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return value
    raise InvalidInput(f"this is an object; it is {_said(value)}", path)


def array(value: Any, path: str) -> list[Any]:
    """`value` if it is an array of JSON; raises InvalidInput where it is not."""
    if isinstance(value, list):
        return value
    raise InvalidInput(f"this is an array; it is {_said(value)}", path)


def _said(value: Any) -> str:
    return {dict: "an object", list: "an array", type(None): "null"}.get(
        type(value), f"the {type(value).__name__} {value!r}"
    )


def usable_key(key: str, path: str) -> str:
    """`key` if a noun may have it; it is left out otherwise, as a new name would be a guess."""
    try:
        return check_key(key, path)
    except InvalidInput as fault:
        raise LeftOut(path, f"{key!r} cannot be a key here: {fault.message}") from None


def refuse(path: str, message: str) -> NoReturn:
    """Leave the flag out."""
    raise LeftOut(path, message)


def json_text(value: Any) -> str:
    """The value as JSON text, as a variation has it."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def client_default(known: Mapping[str, Any], path: str) -> Variation:
    """The variation that stands for the default in the client's own code."""
    if CLIENT_DEFAULT in known:
        refuse(path, f"{CLIENT_DEFAULT!r} stands for the default in the client's own code here")
    return Variation(CLIENT_DEFAULT, "{}", "The default in the client's code")
