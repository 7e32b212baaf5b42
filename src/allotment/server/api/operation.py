"""What an operation says of itself in the OpenAPI document, beside its path and its method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from allotment.server.http.answer import JSON
from allotment.store import Scope

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


def operation(  # noqa: PLR0913  # each is a part of the document
    summary: str,
    scope: Scope,
    answers: Mapping[int, Schema],
    *,
    description: str,
    parameters: Iterable[Schema],
    body: Schema | None,
    tag: str,
) -> dict[str, Any]:
    """An operation about one space, as the document has it.

    answers      status to the schema of the body
    parameters   of path and query; the headers that all operations share are added
    body         schema of the JSON body, if there is one
    """
    said: dict[str, Any] = {
        "summary": summary,
        "description": description,
        "tags": [tag],
        "x-allotment-scope": str(scope),
        "security": [{"token": []}],
        "parameters": [*parameters, *headers_taken(SPACE)],
        "responses": {
            **{str(status): _answer(schema) for status, schema in answers.items()},
            **{str(status): {"$ref": "#/components/responses/Problem"} for status in READING},
        },
    }
    if body is not None:
        said["requestBody"] = {"required": True, "content": {JSON: {"schema": body}}}
    return said


def in_path(name: str, schema: Schema, description: str) -> dict[str, Any]:
    """A parameter of the path."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": schema,
    }


def in_query(name: str, schema: Schema, description: str) -> dict[str, Any]:
    """A parameter of the query, which may be left out."""
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema,
    }


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


def _answer(schema: Schema) -> dict[str, Any]:
    content = {JSON: {"schema": schema}}
    return {"description": "What was asked for.", "content": content, "headers": dict(HEADERS)}
