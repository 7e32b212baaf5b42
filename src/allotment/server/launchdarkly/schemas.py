"""The schemas of LaunchDarkly's paths in the OpenAPI document.

A body may have fields beside those that are named, as this API ignores what it does not know.
"""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]

PREFIX: Final = "launchdarkly."


def ref(name: str) -> Schema:
    """A reference to one of these schemas."""
    return {"$ref": f"#/components/schemas/{PREFIX}{name}"}


def enum(*words: str) -> Schema:
    """One of the words."""
    return {"type": "string", "enum": [*words]}


def listed(items: Schema, **more: object) -> Schema:
    """A list of such items."""
    return {"type": "array", "items": items, **more}


def mapped(items: Schema, **more: object) -> Schema:
    """An object of such entries, whose keys the request chooses."""
    return {"type": "object", "additionalProperties": items, **more}


def open_object(properties: Schema, *optional: str, **more: object) -> Schema:
    """An object with these properties, and others that are ignored.

    Null in the place of an optional one is as if it were left out.
    """
    null = {"type": "null"}
    return {
        "type": "object",
        "properties": {
            name: {"anyOf": [schema, null]} if name in optional and schema else schema
            for name, schema in properties.items()
        },
        "required": [name for name in properties if name not in optional],
        **more,
    }


_PARTS: Final[dict[str, Schema]] = {
    "Error": open_object(
        {"code": {"type": "string"}, "message": {"type": "string"}, "id": {"type": "string"}}
    ),
    "Link": open_object({"href": {"type": "string"}, "type": {"type": "string"}}),
    "Links": mapped(ref("Link")),
    "SemanticPatch": open_object(
        {
            "comment": {"type": "string", "maxLength": 16_384},
            "environmentKey": {"type": "string"},
            "instructions": listed(
                open_object({"kind": {"type": "string"}}), minItems=1, maxItems=100
            ),
        },
        *("comment", "environmentKey"),
    ),
}

# By their names in the document; each room of this API adds its own.
SCHEMAS: Final[dict[str, Schema]] = {}


def define(schemas: Schema) -> None:
    """Add schemas to the document, under the prefix that `ref` gives them."""
    SCHEMAS.update({f"{PREFIX}{name}": schema for name, schema in schemas.items()})


define(_PARTS)
