"""Errors in the shape of OFREP, whatever went wrong under its paths."""

from __future__ import annotations

from typing import Final

import msgspec

from allotment.errors import AllotmentError, InvalidInput, Overloaded
from allotment.server.http.answer import JSON, Answer
from allotment.server.http.problems import Renderer, presentable
from allotment.server.http.refusals import TooManyRequests
from allotment.server.ofrep.bodies import OfrepFailure
from allotment.server.ofrep.context import CONTEXT
from allotment.server.ofrep.flags import MISSING

_NOT_FOUND: Final = "FLAG_NOT_FOUND"
_ATTRIBUTES: Final = "$.attributes"


def code_of(error: AllotmentError) -> str:
    """The protocol's word for an error."""
    if error.code in (MISSING, _NOT_FOUND):
        return error.code
    if error.path.startswith((CONTEXT, _ATTRIBUTES)):
        return "INVALID_CONTEXT"
    if isinstance(error, InvalidInput) and error.path.startswith("$"):
        return "PARSE_ERROR"
    return "GENERAL"


def show_error(error: AllotmentError) -> Answer:
    """The answer for any error under the paths of OFREP."""
    if isinstance(error, Overloaded):
        error = TooManyRequests(error.message, error.path)
    where = error.path.replace(_ATTRIBUTES, CONTEXT, 1)
    details = f"{error.message} - at {where}" if where else error.message
    body = OfrepFailure(code_of(error), presentable(details))
    headers = (("content-type", JSON), ("cache-control", "no-store"))
    return Answer(error.status_hint, headers, msgspec.json.encode(body))


def about_flag(answer: Answer, key: str) -> Answer:
    """The same refusal, which says of which flag it is."""
    failure = msgspec.json.decode(answer.body, type=OfrepFailure)
    failure.key = presentable(key)
    if answer.status == 404:
        failure.errorCode = _NOT_FOUND
    return Answer(answer.status, answer.headers, msgspec.json.encode(failure))


# All that is served under these is OFREP.
RENDERERS: Final[dict[str, Renderer]] = {"/ofrep": show_error, "/projects": show_error}
