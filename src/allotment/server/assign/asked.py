"""What a request asks, read strictly. Of a name that an object has twice the last one counts."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from allotment.errors import InvalidInput

Unit = str | int | dict[str, str | int]
Attributes = dict[str, Any]

ATTRIBUTES_BYTES_MAX: Final = 64 * 1024
DEPTH_MAX: Final = 32

# What reading JSON raises: bytes that are not UTF-8 and endless nesting are errors of their own.
MALFORMED: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class AssignAsked(Struct, forbid_unknown_fields=True):
    """One unit before one experiment, before some, or, where none is named, before all."""

    unit: Unit
    attributes: Attributes | None = None
    experiment: str | UnsetType = UNSET
    experiments: list[str] | UnsetType = UNSET
    stored: dict[str, str] | None = None


class ResolveAsked(Struct, forbid_unknown_fields=True):
    """One unit and one flag, some, or, where none is named, all.

    Without a unit, experiments answer NO_UNIT, and a flag has its value for that.
    """

    unit: Unit = msgspec.field(default_factory=dict)
    attributes: Attributes | None = None
    flag: str | UnsetType = UNSET
    flags: list[str] | UnsetType = UNSET


class ExplainAsked(Struct, forbid_unknown_fields=True):
    """One unit before one experiment, now or as it stood at an earlier revision."""

    experiment: str
    unit: Unit
    attributes: Attributes | None = None
    stored: str | None = None
    revision: Annotated[int, Meta(ge=1, le=10**17)] | UnsetType = UNSET


class _Attributed(Struct):
    attributes: msgspec.Raw = msgspec.Raw(b"")


_Asked = TypeVar("_Asked", AssignAsked, ResolveAsked, ExplainAsked)

_attributed: Final = msgspec.json.Decoder(_Attributed)
_attributes: Final = msgspec.json.Decoder(Attributes)


def read_asked(decoder: msgspec.json.Decoder[_Asked], body: bytes) -> _Asked:
    """What a body asks; raises InvalidInput with the path of the fault, and no word of the body."""
    try:
        asked = decoder.decode(body)
    except MALFORMED as error:
        raise refusal(error, body) from None
    if asked.attributes:
        if len(body) > ATTRIBUTES_BYTES_MAX:
            check_size(len(_attributed.decode(body).attributes), "$.attributes")
        # So few brackets cannot nest too deep.
        if body.count(b"{") + body.count(b"[") > DEPTH_MAX:
            check_depth(asked.attributes, "$.attributes")
    return asked


def read_attributes(text: bytes) -> Attributes:
    """Attributes that stand alone, as in a query."""
    check_size(len(text), "query.attributes")
    try:
        attributes = _attributes.decode(text)
    except MALFORMED as error:
        fault = refusal(error, text)
        raise InvalidInput(fault.message, "query.attributes") from None
    check_depth(attributes, "query.attributes")
    return attributes


def refusal(error: Exception, body: bytes) -> InvalidInput:
    """What is wrong with JSON, without a word of it: `error` is one of MALFORMED."""
    if isinstance(error, UnicodeDecodeError):
        return InvalidInput("the text is not UTF-8", "$")
    if isinstance(error, RecursionError):
        return InvalidInput(f"it is nested deeper than {DEPTH_MAX}", "$")
    said, _, path = str(error).partition(" - at `")
    path = path.removesuffix("`") or "$"
    if "unknown field" in said:
        return InvalidInput("it has a field that is not known here; /docs has those that are", path)
    if isinstance(error, msgspec.ValidationError):
        return InvalidInput(said[:1].lower() + said[1:], path)
    if b"\\ud" in body.lower():
        said += "; or a \\u escape is half of a pair of surrogates, and its other half is missing"
    return InvalidInput(f"this is not JSON that can be read ({said})", path)


def check_size(size: int, path: str) -> None:
    """Refuse attributes of more than 64 KiB as they are written."""
    if size > ATTRIBUTES_BYTES_MAX:
        raise InvalidInput(f"attributes have at most {ATTRIBUTES_BYTES_MAX:,} bytes", path)


def check_depth(attributes: dict[str, Any] | list[Any], path: str) -> None:
    """Refuse attributes nested deeper than 32, themselves included."""
    level: list[Any] = [attributes]
    for _ in range(DEPTH_MAX):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in (dict, list)
        ]
        if not level:
            return
    raise InvalidInput(f"attributes are nested at most {DEPTH_MAX} deep", path)
