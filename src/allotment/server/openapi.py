"""The OpenAPI document: what every operation takes, answers, and needs to be allowed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from allotment import __version__
from allotment.change.commands import Command
from allotment.change.impact import Move
from allotment.dialects.auth0.operations import OPERATIONS as AUTH0
from allotment.dialects.confidence.operations import OPERATIONS as CONFIDENCE
from allotment.dialects.launchdarkly.operations import OPERATIONS as LD
from allotment.model.catalog import Catalog
from allotment.server.api.mount import body_schemas as vendor_schemas
from allotment.server.api.operation import SPELLED
from allotment.server.api.route import body_schemas
from allotment.server.assign.openapi import PATHS, SCHEMAS
from allotment.server.auth.access import SPACE_NAME
from allotment.server.http.etags import EVENT_ID
from allotment.server.http.problems import PROBLEM
from allotment.server.native.plainschema import PlainSchemas
from allotment.server.ofrep import openapi as ofrep

_PUNCTUATION: Final = re.compile(r"[^A-Za-z0-9]+")

_DESCRIPTION: Final = """Decides for any unit which treatment of which experiment it gets.

A call needs the header `Authorization: Bearer TOKEN`, with a token of the scope that the operation
names (`x-allotment-scope`); each of `assign`, `read`, `write` and `admin` covers those before it. A
server that was started with `--insecure-local` takes callers on its own machine without a token.
"""


def document(app: FastAPI) -> dict[str, Any]:
    """The document of everything that is served."""
    made = get_openapi(
        title="Allotment",
        version=__version__,
        description=_DESCRIPTION,
        routes=app.routes,
    )
    for path, operations in (*PATHS.items(), *ofrep.PATHS.items()):
        for method, said in operations.items():
            name = {"operationId": _PUNCTUATION.sub("_", f"{method}{path}").strip("_")}
            made["paths"].setdefault(path, {})[method] = {**name, **said}
    found = made.get("components", {}).get("schemas", {})
    _prune(made, found)
    made["components"] = {
        "schemas": {
            **found,
            **_schemas(),
            **SCHEMAS,
            **ofrep.SCHEMAS,
            **vendor_schemas((*AUTH0, *LD, *CONFIDENCE)),
            **body_schemas(app.routes),
        },
        "parameters": _PARAMETERS,
        "headers": _HEADERS,
        "responses": {"Problem": _PROBLEM_ANSWER, "OfrepFailure": ofrep.FAILURE},
        "securitySchemes": made["components"]["securitySchemes"],
    }
    return made


def _prune(made: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Take out the 422 that the framework adds by itself: nothing here answers with its body."""
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for item in made["paths"].values():
        for said in item.values():
            added = said["responses"].get("422", {})
            if "HTTPValidationError" in json.dumps(added):
                del said["responses"]["422"]
                if "$ref" in added:
                    said["responses"]["422"] = {"$ref": added["$ref"]}


def _schemas() -> dict[str, Any]:
    plain = PlainSchemas()
    plain.schemas.update(_PLAIN)
    plain.schemas["Command"] = plain.of(Command)
    plain.of(Catalog)
    plain.of(Move)
    return {**plain.schemas, **_spelled()}


def _spelled() -> dict[str, Any]:
    """The nouns as the catalog file spells them, from the file's own schema."""
    file = resources.files("allotment.dialects.catalogfile") / "catalog.schema.json"
    text = file.read_text().replace("#/$defs/", f"#/components/schemas/{SPELLED}")
    spelled: dict[str, Any] = json.loads(text)["$defs"]
    return {f"{SPELLED}{name}": schema for name, schema in spelled.items()}


_PLAIN: Final[dict[str, Any]] = {
    "Problem": {
        "description": "What went wrong (RFC 9457).",
        "type": "object",
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string"},
            "instance": {"type": "string"},
            "code": {"type": "string"},
            "path": {"type": "string", "description": "Where in the request the fault is."},
            "command": {"type": "integer", "description": "Which of the commands failed."},
            "request_id": {"type": "string"},
        },
        "required": ["type", "title", "status", "detail", "code"],
    },
}


def _header(name: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": schema}


_PARAMETERS: Final = {
    "Space": _header(
        "Allotment-Space",
        "The space of the call, where the token reaches several; default: the token's own.",
        {"type": "string", "pattern": SPACE_NAME, "examples": ["default/production"]},
    ),
    "MinRevision": _header(
        "Allotment-Min-Revision",
        "Do not answer from an earlier revision than this one.",
        {"type": "integer", "minimum": 0},
    ),
    "LastEventId": _header(
        "Last-Event-ID",
        "The `id` of the last event that the client has seen, as EventSource sends it.",
        {"type": "string", "pattern": EVENT_ID, "examples": ["17-" + "0" * 32]},
    ),
    "IfMatch": _header(
        "If-Match",
        "Change it only if it still has one of these ETags.",
        {"type": "string", "examples": ['"17"']},
    ),
    "IfNoneMatch": _header(
        "If-None-Match",
        "`*`: only if it is not there yet.",
        {"type": "string", "examples": ["*"]},
    ),
    "IdempotencyKey": _header(
        "Idempotency-Key",
        "Names this request for a day: sent again, it is answered again and not done again.",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    ),
}
_HEADERS: Final = {
    "Allotment-Revision": {
        "description": "The revision that is answered from.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "ETag": {
        "description": "The version of what is answered, for If-Match and If-None-Match.",
        "schema": {"type": "string"},
    },
}
_PROBLEM_ANSWER: Final = {
    "description": "It was not done; the body says why.",
    "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
