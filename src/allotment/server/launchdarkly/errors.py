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


def show_error(error: AllotmentError) -> Answer:
    """The answer for any error under the paths of this API; each has an id of its own."""
    body = codes.show_error(error)
    body["message"] = presentable(str(body["message"]))
    body["id"] = str(uuid.uuid4())
    headers = (("content-type", CONTENT_TYPE), ("cache-control", "no-store"))
    return Answer(error.status_hint, headers, msgspec.json.encode(body))
