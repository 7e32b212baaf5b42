"""Errors as Auth0 puts them: `{statusCode, error, message, errorCode}`."""

from __future__ import annotations

from typing import Final

import msgspec

from allotment.dialects.auth0 import codes
from allotment.errors import AllotmentError
from allotment.server.answer import Answer
from allotment.server.problems import presentable

CONTENT_TYPE: Final = "application/json; charset=utf-8"


def show_error(error: AllotmentError) -> Answer:
    """The answer for any error under `/api/v2/`."""
    body = codes.show_error(error)
    body["message"] = presentable(str(body["message"]))
    headers = (("content-type", CONTENT_TYPE), ("cache-control", "no-store"))
    return Answer(error.status_hint, headers, msgspec.json.encode(body))
