"""What a request asks, read strictly. Of a name that an object has twice the last one counts."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from allotment.errors import InvalidInput
from allotment.server.http.decoding import DEPTH_MAX, MALFORMED, refusal

Unit = str | int | dict[str, str | int]
Attributes = dict[str, Any]

ATTRIBUTES_BYTES_MAX: Final = 64 * 1024


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
