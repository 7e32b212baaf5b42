"""What an Auth0 operation says of itself in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from allotment.server.auth0.schemas import Schema, ref
from allotment.server.operation import in_path, in_query, operation
from allotment.store import Scope

TAG: Final = "auth0"

_IDS: Final = {
    "exp": in_path("id", ref("ExperimentId"), "The experiment's id."),
    "flg": in_path("id", ref("FlagId"), "The feature flag's id."),
    "seg": in_path("id", ref("SegmentId"), "The segment's id."),
    "var": in_path("variation_id", ref("VariationId"), "The variation's id."),
}


def described(  # noqa: PLR0913  # each is a part of the document
    summary: str,
    scope: Scope,
    answers: Mapping[int, Schema | None],
    *,
    ids: Iterable[str] = (),
    query: Mapping[str, Schema] | None = None,
    body: Schema | None = None,
    changes: bool = False,
) -> dict[str, Any]:
    """The `openapi_extra` of a route; `ids` are the prefixes of the ids in its path."""
    queried = [in_query(name, schema, "") for name, schema in (query or {}).items()]
    return operation(
        summary,
        scope,
        answers,
        parameters=[*(_IDS[prefix] for prefix in ids), *queried],
        body=body,
        conditional=changes,
        error=ref("Error"),
        tag=TAG,
    )
