"""Attributes as they are typed: NAME=VALUE pairs, and one JSON object."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from allotment.errors import InvalidInput


def attributes_of(document: str | None, pairs: Sequence[str]) -> dict[str, object]:
    """The object with every pair set in it; raises InvalidInput for what is malformed.

    A value is JSON where it can be read as JSON, else text: 31 is a number, "31" in double quotes
    and 3.1.0 are text.
    """
    known = _object(document) if document is not None else {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InvalidInput(f"an attribute is given as NAME=VALUE; this is {pair!r}")
        *path, last = name.split(".")
        inner = known
        for part in path:
            deeper = inner.setdefault(part, {})
            if not isinstance(deeper, dict):
                raise InvalidInput(f"the attribute {part!r} is a value and cannot hold {last!r}")
            inner = deeper
        inner[last] = _value(value)
    return known


def _object(document: str) -> dict[str, object]:
    try:
        return msgspec.json.decode(document, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise InvalidInput(f"--attributes is not a JSON object: {error}") from error


def _value(text: str) -> object:
    try:
        value: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return text
    return value
