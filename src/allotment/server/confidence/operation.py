"""What an operation of Confidence's API says of itself in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from allotment.server.api.operation import in_path, in_query, operation
from allotment.server.confidence.schemas import Schema, ref
from allotment.store import Scope

TAG: Final = "confidence"


def described(  # noqa: PLR0913  # each is a part of the document
    summary: str,
    scope: Scope,
    answers: Mapping[int, Schema | None],
    *,
    path: Mapping[str, Schema] | None = None,
    query: Mapping[str, Schema] | None = None,
    body: Schema | None = None,
    changes: bool = False,
) -> dict[str, Any]:
    """The `openapi_extra` of a route: its parameters of path and query, its body."""
    parameters = [
        *(in_path(name, schema, "") for name, schema in (path or {}).items()),
        *(in_query(name, schema, "") for name, schema in (query or {}).items()),
    ]
    return operation(
        summary,
        scope,
        answers,
        parameters=parameters,
        body=body,
        conditional=changes,
        error=ref("Error"),
        tag=TAG,
    )
