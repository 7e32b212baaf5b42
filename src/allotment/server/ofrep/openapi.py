"""What the OpenAPI document says of the paths of OFREP: the framework does not know them."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from allotment.server.api.operation import HEADERS, SPACE, headers_taken, ref
from allotment.server.api.route import schemas_of
from allotment.server.http.answer import JSON
from allotment.server.ofrep import bodies
from allotment.server.ofrep.target import BULK, PROJECT, SINGLE
from allotment.store import Scope

__all__ = ["FAILURE", "PATHS", "SCHEMAS"]

SCHEMAS: Final[dict[str, Any]] = schemas_of(
    each
    for each in vars(bodies).values()
    if isinstance(each, type) and issubclass(each, Struct) and each is not Struct
)

FAILURE: Final = {
    "description": "There is no value; the body says why.",
    "content": {JSON: {"schema": ref("OfrepFailure")}},
}
_FAILURE: Final = {"$ref": "#/components/responses/OfrepFailure"}
_REFUSED: Final = (400, 401, 403, 404, 412, 413, 415, 429, 503)
_FIRST_ETAG: Final = "The ETag of an earlier answer: 304 says that it still holds."


def _text(where: str, name: str, description: str) -> dict[str, Any]:
    schema = {"type": "string", **({"minLength": 1} if where == "path" else {})}
    required = where == "path"
    said = {"name": name, "in": where, "required": required, "schema": schema}
    return {**said, "description": description}


_REFUSAL: Final = "A refusal is an OfrepFailure."
_OF_SPACE: Final = " of an environment"
_SPACE_IN_PATH: Final = [
    _text("path", "projectKey", "The part of the space's name before the slash."),
    _text("path", "environmentKey", "The part after it."),
]
_KEY: Final = [_text("path", "key", "The flag's key.")]
_CONDITIONS: Final = [
    _text("header", "If-None-Match", _FIRST_ETAG),
    _text("query", "flagConfigEtag", "What an event named: it is answered whole, from there on."),
    _text("query", "flagConfigLastModified", "Likewise, a time."),
]


def _operation(
    summary: str, description: str, answer: str, parameters: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "summary": summary,
        "description": description,
        "tags": ["ofrep"],
        "x-allotment-scope": str(Scope.ASSIGN),
        "security": [{"token": []}],
        "parameters": [*parameters, *headers_taken(SPACE)],
        "requestBody": {"required": True, "content": {JSON: {"schema": ref("OfrepRequest")}}},
        "responses": {
            "200": {
                "description": "What was asked for.",
                "content": {JSON: {"schema": ref(answer)}},
                "headers": {"Allotment-Revision": HEADERS["Allotment-Revision"]},
            },
            **{str(status): _FAILURE for status in _REFUSED},
        },
    }


def _one(of: str = "", *parameters: dict[str, Any]) -> dict[str, Any]:
    return _operation(
        f"Evaluate one flag{of}",
        "The value of one flag for a context. Its treatment is logged as shown, where exposures"
        f" are logged. {_REFUSAL}",
        "OfrepEvaluation",
        [*parameters, *_KEY],
    )


def _all(of: str = "", *parameters: dict[str, Any]) -> dict[str, Any]:
    said = _operation(
        f"Evaluate all flags{of}",
        "The values of all flags for a context. A flag whose experiments need a unit that the"
        " context lacks fails alone. The ETag is of the revision and of the whole context. No"
        f" treatment is logged as shown. {_REFUSAL}",
        "OfrepFlags",
        [*parameters, *_CONDITIONS],
    )
    said["responses"]["200"]["headers"]["ETag"] = HEADERS["ETag"]
    said["responses"]["304"] = {
        "description": "The answer that the client has still holds.",
        "headers": said["responses"]["200"]["headers"],
    }
    return said


PATHS: Final[dict[str, Any]] = {
    SINGLE: {"post": _one()},
    BULK: {"post": _all()},
    f"{PROJECT}{SINGLE}": {"post": _one(_OF_SPACE, *_SPACE_IN_PATH)},
    f"{PROJECT}{BULK}": {"post": _all(_OF_SPACE, *_SPACE_IN_PATH)},
}
