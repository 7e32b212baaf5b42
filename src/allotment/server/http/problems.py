"""Errors as answers: RFC 9457 on native paths, a vendor's own body on the vendor's."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, TypeAlias

import msgspec

from allotment.errors import (
    AllotmentError,
    Overloaded,
    StoreError,
    StoreFull,
    Unauthorized,
)
from allotment.server.http.answer import Answer, Headers, send_answer
from allotment.server.http.asgi import App, Receive, Scope, Send
from allotment.server.http.refusals import MethodNotAllowed

PROBLEM: Final = "application/problem+json"

Renderer: TypeAlias = Callable[[AllotmentError], Answer]

# A vendor's paths answer errors as the vendor does, by the longest prefix of whole steps that a
# path begins with. Empty until `create_app` fills it: connections answer errors too, before there
# is a request for the app.
RENDERERS: Final[dict[str, Renderer]] = {}

_DETAIL_MAX: Final = 600
_RETRY_SECONDS: Final = "1"
_AWAY: Final = "the store cannot be asked now; what is published goes on"
_FULL: Final = "the store has no room left; nothing was changed, and what is published goes on"
_WORDS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")

log: Final = logging.getLogger("allotment.server")


def answer_error(error: Exception, path: str, request_id: str) -> Answer:
    """The answer for whatever went wrong under a path.

    What is not an AllotmentError is our own fault: it is logged under the request's id, and the
    answer says nothing but that id.
    """
    if not isinstance(error, AllotmentError):
        log.error("request %s failed", request_id, exc_info=error)
        error = AllotmentError("this is a fault of the server; its log has more")
    elif isinstance(error, StoreError):
        # The message names the database, which callers must not see.
        log.warning("request %s: %s", request_id, error)
        full = isinstance(error, StoreFull)
        error = type(error)(_FULL if full else _AWAY)
    prefix = prefix_of(path)
    if not prefix:
        return show_problem(error, path, request_id)
    answer = RENDERERS[prefix](error)
    return Answer(answer.status, (*answer.headers, *_advice(error)), answer.body)


def saying(error: AllotmentError) -> App:
    """An application that answers with an error, whatever it is asked."""

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        answer = answer_error(error, scope["path"], request_id_of(scope))
        await send_answer(send, answer, bodiless=scope["method"] == "HEAD")

    return app


def request_id_of(scope: Scope) -> str:
    """The id that the connection gave a request; empty where there is no connection."""
    identity = scope.get("state", {}).get("identity")
    return "" if identity is None else str(identity.request_id)


def prefix_of(path: str) -> str:
    """The longest prefix in RENDERERS that the path begins with; "" for a native path."""
    return max((each for each in RENDERERS if begins(path, each)), key=len, default="")


def show_problem(error: AllotmentError, path: str = "", request_id: str = "") -> Answer:
    """The error as problem+json."""
    headers = (("content-type", PROBLEM), ("cache-control", "no-store"), *_advice(error))
    body = msgspec.json.encode(problem_of(error, path, request_id))
    return Answer(error.status_hint, headers, body)


def problem_of(error: AllotmentError, path: str = "", request_id: str = "") -> dict[str, object]:
    """The members of a problem (RFC 9457)."""
    status = error.status_hint
    code = error.code or _WORDS.sub("_", type(error).__name__).lower()
    problem: dict[str, object] = {
        "type": f"urn:allotment:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": presentable(error.message),
        "code": code,
    }
    if path:
        problem["instance"] = presentable(path)
    if error.path:
        problem["path"] = presentable(error.path)
    if error.command is not None:
        problem["command"] = error.command
    if request_id:
        problem["request_id"] = request_id
    return problem


def begins(path: str, prefix: str) -> bool:
    """Whether the path begins with all steps of the prefix: a step ends with "/" or ":"."""
    if not path.startswith(prefix):
        return False
    return prefix.endswith("/") or path[len(prefix) : len(prefix) + 1] in ("", "/", ":")


def presentable(text: str) -> str:
    """Text that may hold words of the request: printable, and never long."""
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[: _DETAIL_MAX + 1])
    return shown if len(shown) <= _DETAIL_MAX else shown[: _DETAIL_MAX - 1] + "…"


def _advice(error: AllotmentError) -> Headers:
    """The headers that tell a client what to do next."""
    if isinstance(error, MethodNotAllowed):
        return (("allow", error.allowed),)
    if isinstance(error, Unauthorized):
        return (("www-authenticate", 'Bearer realm="allotment"'),)
    if isinstance(error, Overloaded | StoreError) and not isinstance(error, StoreFull):
        return (("retry-after", _RETRY_SECONDS),)
    return ()
