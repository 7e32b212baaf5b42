"""Errors as Confidence's API puts them: `{code, message, details}`, with the codes of gRPC."""

from __future__ import annotations

from typing import Final

import msgspec

from allotment.dialects.confidence import codes
from allotment.errors import AllotmentError
from allotment.server.http.answer import Answer
from allotment.server.http.problems import presentable

CONTENT_TYPE: Final = "application/json"


def show_error(error: AllotmentError) -> Answer:
    """The answer for any error under this API's paths."""
    body = codes.show_error(error)
    body["message"] = presentable(str(body["message"]))
    headers = (("content-type", CONTENT_TYPE), ("cache-control", "no-store"))
    return Answer(codes.status_of(error), headers, msgspec.json.encode(body))
