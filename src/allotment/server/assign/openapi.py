"""What the OpenAPI document says of the assignment paths: the framework does not know them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from msgspec import Struct

from allotment.server.api.operation import HEADERS, READING, SPACE, headers_taken, ref
from allotment.server.api.route import schemas_of
from allotment.server.assign import bodies
from allotment.server.http.answer import JSON
from allotment.server.http.media import MediaForm
from allotment.store import Scope

__all__ = ["PATHS", "SCHEMAS"]

_NOT_BOTH: Final = {"AssignRequest": "experiment", "ResolveRequest": "flag"}

_PROBLEM: Final = {"$ref": "#/components/responses/Problem"}


def _schemas() -> dict[str, Any]:
    """Those of all bodies, with what a class cannot say: that one may be named, or several."""
    structs = (each for each in vars(bodies).values() if isinstance(each, type))
    schemas = schemas_of(
        each for each in structs if issubclass(each, Struct) and each is not Struct
    )
    for name, noun in _NOT_BOTH.items():
        schemas[name]["not"] = {"required": [noun, f"{noun}s"]}
    return schemas


SCHEMAS: Final = _schemas()


def _operation(  # noqa: PLR0913  # each is a part of the document
    summary: str,
    description: str,
    answer: str,
    *,
    body: str | None = None,
    parameters: Iterable[dict[str, Any]] = (),
    problems: Iterable[int] = (),
) -> dict[str, Any]:
    said: dict[str, Any] = {
        "summary": summary,
        "description": description,
        "tags": ["assignments"],
        "x-allotment-scope": str(Scope.ASSIGN),
        "security": [{"token": []}],
        "parameters": [*parameters, *headers_taken(SPACE)],
        "responses": {
            "200": {
                "description": "What was asked for.",
                "content": {JSON: {"schema": ref(answer)}},
                # An answer has no version of its own.
                "headers": {"Allotment-Revision": HEADERS["Allotment-Revision"]},
            },
            **{str(status): _PROBLEM for status in (*READING, *problems)},
        },
    }
    if body is not None:
        said["requestBody"] = {"required": True, "content": {JSON: {"schema": ref(body)}}}
    return said


def _in(where: str, name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    """A parameter of the path, or of the query, where it may be left out."""
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": description,
        "schema": schema,
    }


def _batch() -> dict[str, Any]:
    said = _operation(
        "Assign many units",
        "In JSON, as a document of at most 64 MiB; in NDJSON, a line a unit; as an Arrow IPC"
        " stream, with units in one column and an attribute in each of the others. The answer is"
        " in the form that `Accept` asks for, else in that of the request: a document, a line a"
        " unit, or a stream with the columns EXPERIMENT and EXPERIMENT.reason (and, of one that"
        " keeps assignments, EXPERIMENT.to_keep). NDJSON and Arrow have at most 4 GiB. The answer"
        " begins when the request is whole. All of it is answered from one revision. A unit that"
        " is none, and a line that cannot be read, fail alone. A document, and the framing of a"
        " stream, are checked before any of it is answered; a column of a record batch that is"
        " damaged breaks off an answer that has begun.",
        "BatchAnswer",
        body="BatchRequest",
        parameters=[
            _in(
                "query",
                "experiment",
                {"type": "array", "items": {"type": "string", "minLength": 1}},
                "With NDJSON and Arrow: an experiment that is asked for; default: all of them.",
            ),
            _in(
                "query",
                "unit",
                {"type": "array", "items": {"type": "string", "minLength": 1}},
                "With Arrow: the column of units, as COLUMN or, for each kind, KIND=COLUMN;"
                " default: `unit`.",
            ),
        ],
        problems=(406, 413, 415),
    )
    streams = {
        MediaForm.NDJSON.value: "A line is an object with `unit` and, optionally, `attributes`.",
        MediaForm.ARROW.value: "An Arrow IPC stream, its buffers not compressed.",
    }
    for media, description in streams.items():
        binary = {"type": "string", "format": "binary", "description": description}
        said["requestBody"]["content"][media] = {"schema": binary}
        said["responses"]["200"]["content"][media] = {"schema": {**binary, "description": media}}
    return said


PATHS: Final[dict[str, Any]] = {
    "/v1/assign": {
        "post": _operation(
            "Assign one unit",
            "What a unit gets in one experiment, in some, or in all.",
            "AssignAnswer",
            body="AssignRequest",
            problems=(413, 415),
        )
    },
    "/v1/assign/{experiment}/{unit}": {
        "get": _operation(
            "Assign one unit by its address",
            "What a unit gets in one experiment; the body is that of `POST /v1/assign`.",
            "AssignAnswer",
            parameters=[
                _in(
                    "path",
                    "experiment",
                    {"type": "string", "minLength": 1},
                    "The experiment's key.",
                ),
                _in(
                    "path",
                    "unit",
                    {"type": "string", "minLength": 1},
                    "The unit's key as text; a slash within it is written %2F.",
                ),
                {
                    "name": "attributes",
                    "in": "query",
                    "required": False,
                    "description": "What is known of the unit.",
                    "content": {
                        "application/json": {
                            "schema": {"type": "object", "additionalProperties": True}
                        }
                    },
                },
            ],
        )
    },
    "/v1/assign/batch": {"post": _batch()},
    "/v1/resolve": {
        "post": _operation(
            "Resolve flags for one unit",
            "The value a unit sees of one flag, of some, or of all.",
            "ResolveAnswer",
            body="ResolveRequest",
            problems=(413, 415),
        )
    },
    "/v1/explain": {
        "post": _operation(
            "Explain an assignment",
            "Every check with its draw, bucket, bound and outcome; now, or as the catalog stood at"
            " an earlier revision.",
            "ExplainAnswer",
            body="ExplainRequest",
            problems=(413, 415),
        )
    },
}
