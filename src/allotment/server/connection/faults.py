"""What is wrong with a request before there is one: answers of the protocol, not of the app."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from typing import Final

from allotment.errors import AllotmentError, InvalidInput, Overloaded
from allotment.server.connection.identity import Identity
from allotment.server.http.answer import Answer
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


def closing(error: AllotmentError, identity: Identity, path: str = "") -> bytes:
    """The bytes of the last answer on a connection."""
    head, body = _raw(answer_error(error, path, identity.request_id), close=True)
    return b"%b%b\r\n%b" % (head, identity.lines(), body)


def busy(path: str, identity: Identity, *, close: bool, body: bool) -> bytes:
    """The bytes of a refusal; made once for each dialect, as there are many of them to send.

    So the id stands in the head only.
    """
    head, text = _busy(prefix_of(path), close)
    return b"%b%b\r\n%b" % (head, identity.lines(), text if body else b"")


@cache
def _busy(prefix: str, close: bool) -> tuple[bytes, bytes]:
    return _raw(answer_error(BUSY, prefix, ""), close=close)


def _raw(answer: Answer, *, close: bool) -> tuple[bytes, bytes]:
    """The head of an answer, to which lines may be added, and its body."""
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    lines += [f"content-length: {len(answer.body)}", *(["connection: close"] if close else ())]
    return "\r\n".join([*lines, ""]).encode("latin-1"), answer.body


def body_size(answer: bytes) -> int:
    """How many bytes the body of an answer has."""
    return len(answer.partition(b"\r\n\r\n")[2])


def status_of(answer: bytes) -> int:
    """The status of an answer."""
    return int(answer.split(b" ", 2)[1])
