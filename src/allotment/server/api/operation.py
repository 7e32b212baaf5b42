"""What operations share in the OpenAPI document: statuses, headers, references, schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

# What can go wrong with any operation that asks for a token, and what more with one that changes.
READING: Final = (400, 401, 403, 404, 412, 503)
WRITING: Final = (*READING, 409, 413, 415, 422, 507)

# Schemas of what is spelled as the catalog file spells it have names that begin so.
SPELLED: Final = "file."

# The headers of an answer about a space.
HEADERS: Final = {
    name: {"$ref": f"#/components/headers/{name}"} for name in ("Allotment-Revision", "ETag")
}
SPACE: Final = ("Space", "MinRevision")
CONDITIONS: Final = ("IfMatch", "IfNoneMatch", "IdempotencyKey")


def ref(name: str) -> dict[str, str]:
    """A reference to one of the document's schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def spelled(name: str) -> dict[str, str]:
    """A reference to the schema of a noun, or a part of one, as the catalog file spells it."""
    return ref(f"{SPELLED}{name}")


def closed(properties: Mapping[str, Schema], *optional: str, **more: object) -> dict[str, Any]:
    """The schema of an object with these properties and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
        **more,
    }


def headers_taken(names: Iterable[str]) -> list[dict[str, Any]]:
    """References to the headers that operations share, such as SPACE and CONDITIONS."""
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]
