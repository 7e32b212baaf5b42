"""What the address of a GET asks: an experiment and a unit in the path, attributes in the query."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from allotment.errors import InvalidInput
from allotment.server.assign.asked import Attributes, read_attributes
from allotment.server.http.asgi import Scope
from allotment.server.http.refusals import NoSuchPath

_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_PARTS: Final = 5  # "", "v1", "assign", the experiment, the unit


def read_target(scope: Scope) -> tuple[str, str, Attributes | None]:
    """The experiment, the unit and the attributes; a slash within one is written %2F.

    Raises InvalidInput for an empty part, a broken escape and what is not UTF-8: another reading of
    those would make one unit of several.
    """
    parts = (scope.get("raw_path") or scope["path"].encode()).split(b"/")
    if len(parts) != _PARTS:
        raise NoSuchPath
    experiment, unit = (_text(part, "path") for part in parts[3:])
    if not (experiment and unit):
        raise InvalidInput("the path is /v1/assign/EXPERIMENT/UNIT, and neither is empty", "path")
    attributes = None
    for name, value in read_query(scope):
        if name != "attributes":
            raise InvalidInput("the only parameter here is `attributes`, a JSON object", "query")
        if attributes is not None:
            raise InvalidInput("this parameter is given twice", "query.attributes")
        attributes = read_attributes(value.encode())
    return experiment, unit, attributes


def read_query(scope: Scope) -> list[tuple[str, str]]:
    """The parameters of the query in their order, names repeated as they come."""
    query: bytes = scope["query_string"]
    if not query:
        return []
    pairs = (pair.partition(b"=") for pair in query.replace(b"+", b" ").split(b"&"))
    return [(_text(name, "query"), _text(value, "query")) for name, _, value in pairs]


def _text(part: bytes, path: str) -> str:
    if _BROKEN_ESCAPE.search(part):
        raise InvalidInput("a percent sign is written %25", path)
    try:
        return unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        raise InvalidInput("this is not UTF-8 once its escapes are undone", path) from None
