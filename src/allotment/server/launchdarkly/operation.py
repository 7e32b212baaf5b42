"""What an operation of LaunchDarkly's API says of itself, and how it becomes a route."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from starlette.responses import Response

from allotment.model.limits import KEY_BYTES_MAX
from allotment.server.api.operation import in_path, in_query, operation
from allotment.server.api.vendor import Endpoint
from allotment.server.launchdarkly.router import router
from allotment.server.launchdarkly.schemas import Schema, ref
from allotment.store import Scope

TAG: Final = "launchdarkly"

BASE: Final = "/api/v2"
PROJECT: Final = f"{BASE}/projects/{{projectKey}}"
ENVIRONMENT: Final = f"{PROJECT}/environments/{{environmentKey}}"

KEY: Final[Schema] = {
    "type": "string",
    "pattern": f"^[A-Za-z0-9][A-Za-z0-9._-]{{0,{KEY_BYTES_MAX - 1}}}$",
}
_PATH: Final = {
    "projectKey": in_path("projectKey", KEY, "The project: the first part of a space's name."),
    "environmentKey": in_path("environmentKey", KEY, "The environment: the second part."),
    "experimentKey": in_path("experimentKey", KEY, "The experiment's key."),
    "layerKey": in_path("layerKey", KEY, "The layer's key."),
    "holdoutKey": in_path("holdoutKey", KEY, "The holdout's key."),
    "holdoutId": in_path("holdoutId", {"type": "string"}, "The holdout's id."),
    "flagKey": in_path("flagKey", KEY, "The flag's key."),
    "metricKey": in_path("metricKey", KEY, "The metric's key."),
    "metricGroupKey": in_path("metricGroupKey", KEY, "The metric group's key."),
}

# The parameters of lists that are shown in windows.
WINDOW: Final[Mapping[str, Schema]] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 20},
    "offset": {"type": "integer", "minimum": 0, "default": 0},
}


def add(  # noqa: PLR0913, PLR0917  # each is a part of the document
    method: str,
    path: str,
    name: str,
    endpoint: Endpoint,
    summary: str,
    answers: Mapping[int, Schema | None],
    *,
    query: Mapping[str, Schema] | None = None,
    body: Schema | None = None,
    refused: Iterable[int] = (),
) -> None:
    """Put an operation on the router; whatever is no GET needs a token that may write.

    `path` begins with PROJECT, ENVIRONMENT or BASE; `name` is the vendor's name of the operation in
    our spelling, `create_experiment`.
    """
    changes = method != "GET"
    queried = [in_query(each, schema, "") for each, schema in (query or {}).items()]
    said: dict[str, Any] = operation(
        summary,
        Scope.WRITE if changes else Scope.READ,
        answers,
        parameters=[*(each for key, each in _PATH.items() if f"{{{key}}}" in path), *queried],
        body=body,
        conditional=changes,
        refused=refused,
        error=ref("Error"),
        tag=TAG,
    )
    router.add_api_route(
        path,
        endpoint,
        methods=[method],
        name=f"launchdarkly_{name}",
        operation_id=f"launchdarkly_{name}",
        openapi_extra=said,
        response_class=Response,
        status_code=next(iter(answers)),
    )
