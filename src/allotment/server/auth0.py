"""Auth0's Experiment Center over HTTP, at the paths of the vendor."""

from __future__ import annotations

from typing import Final

import msgspec

from allotment.change.lifecycle import Policy
from allotment.dialects.auth0 import errors
from allotment.dialects.auth0.operations import OPERATIONS
from allotment.dialects.auth0.schema.fields import Auth0Error
from allotment.errors import AllotmentError
from allotment.server.api.mount import Api, mount
from allotment.server.http.answer import Answer
from allotment.server.http.problems import presentable

_CONTENT_TYPE: Final = "application/json; charset=utf-8"


def show_error(error: AllotmentError) -> Answer:
    """The answer for any error under `/api/v2/`: `{statusCode, error, message, errorCode}`."""
    body = errors.show_error(error)
    body["message"] = presentable(str(body["message"]))
    headers = (("content-type", _CONTENT_TYPE), ("cache-control", "no-store"))
    return Answer(error.status_hint, headers, msgspec.json.encode(body))


API: Final = Api(
    "auth0",
    Policy.AUTH0,
    "/api/v2/experimentation",
    ("/api/v2/",),
    _CONTENT_TYPE,
    Auth0Error,
    show_error,
)
router: Final = mount(API, OPERATIONS)
