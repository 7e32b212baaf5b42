"""What a request asks, read strictly from its body or from its address."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Struct

from allotment.errors import InvalidInput
from allotment.kernel.json_shape import JsonShape
from allotment.server.assign.bodies import AssignRequest, Attributes, ExplainRequest, ResolveRequest
from allotment.server.http.asgi import Scope
from allotment.server.http.decoding import DEPTH_MAX, MALFORMED, refusal
from allotment.server.http.refusals import NoSuchPath
from allotment.server.http.requests import check_shape

ATTRIBUTES_BYTES_MAX: Final = 64 * 1024

_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_PERCENT: Final = ord("%")
_PARTS: Final = 5  # "", "v1", "assign", the experiment, the unit


class _Attributed(Struct):
    attributes: msgspec.Raw = msgspec.Raw(b"")


_Asked = TypeVar("_Asked", AssignRequest, ResolveRequest, ExplainRequest)

_attributed: Final = msgspec.json.Decoder(_Attributed)
_attributes: Final = msgspec.json.Decoder(Attributes)


def read_asked(decoder: msgspec.json.Decoder[_Asked], body: bytes) -> _Asked:
    """What a body asks; raises InvalidInput with the path of the fault, and no word of the body."""
    # So few brackets cannot nest too deep.
    may_nest = body.count(b"{") + body.count(b"[") > DEPTH_MAX
    if may_nest:
        check_shape(body, JsonShape())
    try:
        asked = decoder.decode(body)
    except MALFORMED as error:
        raise refusal(error, body, decoder.type) from None
    if asked.attributes:
        if len(body) > ATTRIBUTES_BYTES_MAX:
            check_size(len(_attributed.decode(body).attributes), "$.attributes")
        if may_nest:
            check_depth(asked.attributes, "$.attributes")
    return asked


def read_attributes(text: bytes) -> Attributes:
    """Attributes that stand alone, as in a query."""
    check_size(len(text), "query.attributes")
    check_shape(text, JsonShape(), "query.attributes")
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


def read_target(scope: Scope) -> tuple[AssignRequest, bytes]:
    """What an address asks, and its attributes as they are written; a slash within is %2F.

    Raises InvalidInput for an empty part, a broken escape and what is not UTF-8: another reading of
    those would make one unit of several.
    """
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    if _PERCENT not in raw and raw.isascii():
        parts = raw.decode().split("/")
    else:
        parts = [decoded(part, "path") for part in raw.split(b"/")]
    if len(parts) != _PARTS:
        raise NoSuchPath
    _, _, _, experiment, unit = parts
    if not (experiment and unit):
        raise InvalidInput("the path is /v1/assign/EXPERIMENT/UNIT, and neither is empty", "path")
    query = scope["query_string"]
    asked = _asked_before if len(query) <= _REMEMBERED_BYTES_MAX else _asked_in
    attributes, text = asked(query) if query else (None, b"")
    return AssignRequest(unit, attributes, experiment), text


def _asked_in(query: bytes) -> tuple[Attributes | None, bytes]:
    """The attributes in the query of an address, and their text."""
    attributes, text = None, b""
    for name, value in read_query(query):
        if name != "attributes":
            raise InvalidInput("the only parameter here is `attributes`, a JSON object", "query")
        if attributes is not None:
            raise InvalidInput("this parameter is given twice", "query.attributes")
        text = value.encode()
        attributes = read_attributes(text)
    return attributes, text


# Many units have the same attributes, which are only read. Refusals are not remembered.
_REMEMBERED_BYTES_MAX: Final = 256
_asked_before: Final = lru_cache(4096)(_asked_in)


def read_query(query: bytes) -> list[tuple[str, str]]:
    """The parameters of a query in their order, names repeated as they come."""
    if not query:
        return []
    pairs = (pair.partition(b"=") for pair in query.replace(b"+", b" ").split(b"&"))
    return [(decoded(name, "query"), decoded(value, "query")) for name, _, value in pairs]


def decoded(part: bytes, path: str) -> str:
    """A part of a target as text; raises InvalidInput for a broken escape and what is not UTF-8."""
    if b"%" not in part and part.isascii():
        return part.decode()
    if _BROKEN_ESCAPE.search(part):
        raise InvalidInput("a percent sign is written %25", path)
    try:
        return unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        raise InvalidInput("this is not UTF-8 once its escapes are undone", path) from None
