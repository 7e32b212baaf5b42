"""What is wrong with a request before there is one: answers of the protocol, not of the app."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from typing import Final

from allotment.errors import AllotmentError, InvalidInput, Overloaded
from allotment.server.http.answer import Answer, send_answer
from allotment.server.http.asgi import App, Receive, Scope, Send
from allotment.server.http.limits import (
    HEAD_BYTES_MAX,
    HEADERS_MAX,
    PIPELINED_MAX,
    TARGET_BYTES_MAX,
)
from allotment.server.http.problems import answer_error, prefix_of
from allotment.server.http.refusals import UnsupportedMedia


class TooSlow(InvalidInput):
    """The client took too long to send its request."""

    status_hint = 408


class TargetTooLong(InvalidInput):
    """The path and query are longer than they may be."""

    status_hint = 414


class HeadTooLarge(InvalidInput):
    """There are more headers, or more bytes of them, than there may be."""

    status_hint = 431


MALFORMED: Final = InvalidInput("this is not a request of HTTP/1.1")
NO_HOST: Final = InvalidInput("a request names its host, once", "headers.Host")
LONG_TARGET: Final = TargetTooLong(f"path and query have at most {TARGET_BYTES_MAX:,} bytes")
LONG_HEAD: Final = HeadTooLarge(f"the head of a request has at most {HEAD_BYTES_MAX:,} bytes")
MANY_HEADERS: Final = HeadTooLarge(f"a request has at most {HEADERS_MAX} headers")
SLOW: Final = TooSlow("the request did not arrive in time; nothing of it was done")
MANY_AHEAD: Final = Overloaded(f"at most {PIPELINED_MAX} requests may wait on one connection")
MANY_CONNECTIONS: Final = Overloaded("there are as many connections as there may be")
BUSY: Final = Overloaded("there is more to do than can be done now; ask again soon")

ENCODED: Final = UnsupportedMedia("a body is sent as it is, not compressed")


def show(error: AllotmentError, path: str = "") -> Answer:
    """The answer for an error under a path, as the dialect of that path puts it."""
    return answer_error(error, path, "")


def closing(error: AllotmentError, path: str = "") -> bytes:
    """The bytes of the last answer on a connection."""
    return _raw(show(error, path), close=True, body=True)


def busy(path: str, close: bool, body: bool) -> bytes:
    """The bytes of a refusal; made once for each dialect, as there are many of them to send."""
    return _busy(prefix_of(path), close, body)


@cache
def _busy(prefix: str, close: bool, body: bool) -> bytes:
    return _raw(show(BUSY, prefix), close=close, body=body)


def _raw(answer: Answer, *, close: bool, body: bool) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    lines += [f"content-length: {len(answer.body)}", *(["connection: close"] if close else ())]
    head = "\r\n".join([*lines, "\r\n"]).encode("latin-1")
    return head + answer.body if body else head


def saying(error: AllotmentError) -> App:
    """An application that answers with an error, whatever it is asked."""

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        await send_answer(send, show(error, scope["path"]), bodiless=scope["method"] == "HEAD")

    return app
