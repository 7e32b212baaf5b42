"""Heads: what of a request's steers the connection or is refused, and the lines of an answer's."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import httptools

from allotment.errors import AllotmentError
from allotment.server.connection import faults
from allotment.server.connection.identity import REQUEST_ID, TRACE_PARENT, Identity
from allotment.server.http.answer import Ready
from allotment.server.http.limits import HEAD_BYTES_MAX, HEADERS_MAX, PIECE_BYTES

# The headers that `RequestHead.take` wants to see; every other is the application's alone.
STEERING: Final = frozenset(
    {b"host", b"expect", b"content-encoding", b"transfer-encoding", REQUEST_ID, TRACE_PARENT}
)

# An answer of this kind has no end: it mostly waits.
EVENTS: Final = b"text/event-stream"

_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_NO_VALUE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def target_of(url: bytes) -> tuple[str, bytes, bytes]:
    """The path without escapes, then path and query as they came.

    Raises HttpParserError for nonsense.
    """
    if url[:1] == b"/" and b"#" not in url:
        raw_path, _, query = url.partition(b"?")
    else:
        parsed = httptools.parse_url(url)  # with a host in front
        if parsed.path is None:
            raise httptools.HttpParserError
        raw_path, query = parsed.path, parsed.query or b""
    return unescaped(raw_path), raw_path, query


def unescaped(raw_path: bytes) -> str:
    """A path without escapes, as ASGI has it."""
    path = raw_path.decode("ascii")
    return urllib.parse.unquote(path) if "%" in path else path


def reads_only(scope: Mapping[str, Any]) -> bool:
    """Whether a request changes nothing, so that it may be dropped when its client is gone.

    An assignment that is got may be kept, and is perhaps done for others who ask the same.
    """
    path = scope["path"]
    if path == "/v1/explain":
        return True
    return scope["method"] in ("GET", "HEAD") and not path.startswith("/v1/assign")


class RequestHead:
    """What is known of the head that is being read.

    method   as it came; empty until the whole head is there
    expects  the client waits for `100 Continue` before it sends its body
    refusal  what is answered, in place of what the application would
    """

    __slots__ = ("_hosts", "_request_id", "_trace_parent", "expects", "method", "refusal")

    def __init__(self) -> None:
        self._hosts = 0
        self._request_id: bytes | None = None
        self._trace_parent: bytes | None = None
        self.method = ""
        self.expects = False
        self.refusal: AllotmentError | None = None

    def take(self, name: bytes, value: bytes) -> None:
        """Take a header that is among the STEERING."""
        if name == b"host":
            self._hosts += 1
        elif name == b"expect":
            self.expects = value.lower() == b"100-continue"
        elif name == REQUEST_ID:  # one that is given twice names nothing
            self._request_id = b"" if self._request_id is not None else value.strip(b" \t")
        elif name == TRACE_PARENT:
            self._trace_parent = b"" if self._trace_parent is not None else value.strip(b" \t")
        elif value.strip().lower() != (b"identity" if name == b"content-encoding" else b"chunked"):
            self.refusal = faults.ENCODED

    def identity(self) -> Identity:
        """What the request is known by, as far as the head has come; another at each call."""
        return Identity(self._request_id, self._trace_parent)

    def fault(
        self, version: str, target: bytes, headers: Sequence[tuple[bytes, bytes]], most: int
    ) -> AllotmentError | None:
        """What is wrong with the whole head, which has at most `most` bytes."""
        if self.method == "CONNECT":  # what follows is not for us
            return faults.MALFORMED
        if len(headers) > HEADERS_MAX:
            return faults.MANY_HEADERS
        if most > HEAD_BYTES_MAX:
            lines = sum(len(name) + len(value) + 4 for name, value in headers)
            if len(target) + lines > HEAD_BYTES_MAX:
                return faults.LONG_HEAD
        if version not in ("1.1", "1.0"):
            return faults.MALFORMED
        if self._hosts != 1 and (self._hosts or version == "1.1"):
            return faults.NO_HOST
        return None


@lru_cache(4096)
def line_of(name: bytes, value: bytes) -> tuple[bytes, bool]:
    """The line of a header, and whether it steers the connection; RuntimeError for none."""
    if not _NAME.match(name) or _NO_VALUE.search(value):
        raise RuntimeError("a header that cannot be sent")
    steers = name.lower() in (b"content-length", b"transfer-encoding", b"connection")
    steers |= name.lower() == b"content-type" and value.startswith(EVENTS)
    line = b"%b: %b\r\n" % (name, value)
    return (b"" if name.lower() == b"connection" else line), steers


def lines_of(ready: Ready) -> bytes | None:
    """The header lines of an answer, made once; None where it is large, or one steers."""
    if ready.lines is None:
        if len(ready.body) > PIECE_BYTES:
            return None
        lines = [(name, *line_of(name, value)) for name, value in ready.headers]
        if any(steers and name != b"content-length" for name, _, steers in lines):
            return None
        ready.lines = b"".join(line for _, line, _ in lines)
    return ready.lines
