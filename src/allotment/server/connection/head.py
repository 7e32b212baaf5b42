"""The head of a request: what of it steers the connection, and what is refused at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import httptools

from allotment.errors import AllotmentError
from allotment.server.connection import faults
from allotment.server.connection.identity import REQUEST_ID, TRACE_PARENT, Identity
from allotment.server.http.limits import HEAD_BYTES_MAX, HEADERS_MAX

# The headers that `Head.take` wants to see; every other is the application's alone.
STEERING: Final = frozenset(
    {b"host", b"expect", b"content-encoding", b"transfer-encoding", REQUEST_ID, TRACE_PARENT}
)


def target_of(url: bytes) -> tuple[bytes, bytes]:
    """Path and query, as they came; raises HttpParserError for nonsense."""
    if url[:1] == b"/" and b"#" not in url:
        path, _, query = url.partition(b"?")
        return path, query
    parsed = httptools.parse_url(url)  # with a host in front
    if parsed.path is None:
        raise httptools.HttpParserError
    return parsed.path, parsed.query or b""


def reads_only(scope: Mapping[str, Any]) -> bool:
    """Whether a request changes nothing, so that it may be dropped when its client is gone.

    An assignment that is got may be kept, and is perhaps done for others who ask the same.
    """
    path = scope["path"]
    if path == "/v1/explain":
        return True
    return scope["method"] in ("GET", "HEAD") and not path.startswith("/v1/assign")


class Head:
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
