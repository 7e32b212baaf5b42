"""How each vendor's API answers an error, and under which paths.

Connections answer errors before the routes of an API are made (see `lazy_routes`), so this module
imports little.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

import msgspec

from allotment.dialects.auth0 import errors as auth0
from allotment.dialects.confidence import codes as confidence
from allotment.dialects.launchdarkly import codes as launchdarkly
from allotment.errors import AllotmentError
from allotment.server.http.answer import Answer
from allotment.server.http.problems import Renderer, presentable

JSON: Final = "application/json"
JSON_UTF8: Final = "application/json; charset=utf-8"

UNDER_AUTH0: Final = ("/api/v2/",)
UNDER_CONFIDENCE: Final = ("/v1/workflows", "/v1/flags", "/v1/segments")

# All that the vendor has under `/api/v2/`, served here or not: its clients read no other errors.
# Auth0 has `roles` and `users` too, of which nothing is served for either.
_FIRST_STEPS: Final = (
    *("account", "announcements", "applications", "approval-requests", "auditlog"),
    *("caller-identity", "code-refs", "destinations", "engineering-insights", "flag-links"),
    *("flag-status", "flag-statuses", "flags", "integration-capabilities"),
    *("integration-configurations", "integrations", "members", "metrics", "oauth"),
    *("openapi.json", "projects", "public-ip-list", "roles", "segments", "tags", "teams"),
    *("templates", "tokens", "usage", "user-search", "users", "versions", "webhooks"),
)
UNDER_LAUNCHDARKLY: Final = ("/api/v2", *(f"/api/v2/{step}" for step in _FIRST_STEPS))


def show_auth0(error: AllotmentError) -> Answer:
    """The answer for any error of Auth0's API: `{statusCode, error, message, errorCode}`."""
    return _answer(error.status_hint, JSON_UTF8, auth0.show_error(error))


def show_launchdarkly(error: AllotmentError) -> Answer:
    """The answer for any error of LaunchDarkly's API; each has an id of its own."""
    body = launchdarkly.show_error(error)
    return _answer(error.status_hint, JSON, {**body, "id": str(uuid.uuid4())})


def show_confidence(error: AllotmentError) -> Answer:
    """The answer for any error of Confidence's API."""
    return _answer(confidence.status_of(error), JSON, confidence.show_error(error))


def _answer(status: int, content_type: str, body: dict[str, Any]) -> Answer:
    body = {**body, "message": presentable(str(body["message"]))}
    headers = (("content-type", content_type), ("cache-control", "no-store"))
    return Answer(status, headers, msgspec.json.encode(body))


# By the beginnings of paths.
RENDERERS: Final[dict[str, Renderer]] = {
    **dict.fromkeys(UNDER_AUTH0, show_auth0),
    **dict.fromkeys(UNDER_LAUNCHDARKLY, show_launchdarkly),
    **dict.fromkeys(UNDER_CONFIDENCE, show_confidence),
}
