"""What an operation says of itself in the OpenAPI document, beside its path and its method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
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
    scope: Scope | None,
    answers: Mapping[int, Schema | None],
    *,
    description: str = "",
    parameters: Iterable[Schema] = (),
    body: Schema | None = None,
    conditional: bool = False,
    changes: bool = False,
    spaced: bool = True,
    more: Mapping[int, Schema] | None = None,
    refused: Iterable[int] = (),
    error: Schema | None = None,
    tag: str = "native",
) -> dict[str, Any]:
    """The `openapi_extra` of a route.

    answers      status to the schema of the body, None for no body
    parameters   of path and query; the headers that all operations share are added
    body         schema of the JSON body, if there is one
    conditional  whether conditions and idempotency keys are honoured: then it changes something
    changes      whether it changes something all the same
    spaced       whether it is about one space
    more         by status, the other forms of an answer: media type to media object
    refused      more statuses than the usual ones, answered with a problem
    error        schema of a vendor's own body of errors, in the place of a problem
    scope        what a token needs; None where no token is needed
    """
    spaced = spaced and scope is not None
    shared = [*(SPACE if spaced else ()), *(CONDITIONS if conditional else ())]
    usual = (400,) if scope is None else WRITING if conditional or changes else READING
    problems = (*usual, *refused)
    said: dict[str, Any] = {
        "summary": summary,
        "tags": [tag],
        "x-allotment-scope": "none" if scope is None else str(scope),
        "security": [] if scope is None else [{"token": []}],
        "parameters": [*parameters, *headers_taken(shared)],
        "responses": {
            **{str(status): _answer(schema, spaced) for status, schema in answers.items()},
            **{str(status): _refusal(status, error) for status in problems},
        },
    }
    if description:
        said["description"] = description
    for status, said_more in (more or {}).items():
        answer = said["responses"][str(status)]
        answer["content"] = {**answer.get("content", {}), **said_more}
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


def _refusal(status: int, error: Schema | None) -> dict[str, Any]:
    if error is None:
        return {"$ref": "#/components/responses/Problem"}
    return {
        "description": HTTPStatus(status).phrase,
        "content": {JSON: {"schema": error}},
    }


def _answer(schema: Schema | None, spaced: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "Done." if schema is None else "What was asked for."}
    if schema is not None:
        answer["content"] = {JSON: {"schema": schema}}
    if spaced:
        answer["headers"] = dict(HEADERS)
    return answer
