"""What is wrong with JSON that msgspec does not decode, without a word of it."""

from __future__ import annotations

from functools import cache
from typing import Final

import msgspec

from allotment.errors import InvalidInput, did_you_mean

# How deep attributes may nest.
DEPTH_MAX: Final = 32

# What reading JSON raises: bytes that are not UTF-8 and endless nesting are errors of their own.
MALFORMED: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@cache
def _fields_of(wanted: object) -> frozenset[str]:
    """The names of the fields of a struct, and of the structs in it."""
    schemas = msgspec.json.schema_components([wanted])[1].values()
    return frozenset(name for schema in schemas for name in schema.get("properties", ()))


def refusal(error: Exception, body: bytes | bytearray, wanted: object = None) -> InvalidInput:
    """The refusal of a body; `error` is one of MALFORMED, `wanted` the struct that it was to be."""
    if isinstance(error, UnicodeDecodeError):
        return InvalidInput("the text is not UTF-8", "$")
    if isinstance(error, RecursionError):
        return InvalidInput(f"it is nested deeper than {DEPTH_MAX}", "$")
    said, _, path = str(error).partition(" - at `")
    path = path.removesuffix("`") or "$"
    if "unknown field" in said:
        near = did_you_mean(said.split("`")[1], _fields_of(wanted)) if wanted else ""
        ways = near or "; /docs has those that are"
        return InvalidInput(f"it has a field that is not known here{ways}", path)
    if isinstance(error, msgspec.ValidationError):
        return InvalidInput(said[:1].lower() + said[1:], path)
    if b"\\ud" in body.lower():
        said += "; or a \\u escape is half of a pair of surrogates, and its other half is missing"
    return InvalidInput(f"this is not JSON that can be read ({said})", path)
