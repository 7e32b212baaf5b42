"""Errors as LaunchDarkly puts them: `{code, message, id}`."""

from __future__ import annotations

import uuid
from typing import Final

import msgspec

from allotment.dialects.launchdarkly import codes
from allotment.errors import AllotmentError
from allotment.server.http.answer import Answer
from allotment.server.http.problems import presentable

CONTENT_TYPE: Final = "application/json"

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
PATHS: Final = ("/api/v2", *(f"/api/v2/{step}" for step in _FIRST_STEPS))


def show_error(error: AllotmentError) -> Answer:
    """The answer for any error under the paths of this API; each has an id of its own."""
    body = codes.show_error(error)
    body["message"] = presentable(str(body["message"]))
    body["id"] = str(uuid.uuid4())
    headers = (("content-type", CONTENT_TYPE), ("cache-control", "no-store"))
    return Answer(error.status_hint, headers, msgspec.json.encode(body))
