"""The id of a request, and its place in a trace.

A client that sends a valid `X-Request-Id` gets it back; every other request gets a fresh id. A
client that sends a valid `traceparent` (W3C Trace Context) gets the id of its trace back in
`traceresponse`, with the id of the one span that the server's work is. The access log has all of
them. What is not valid is ignored: it names a request, and decides nothing.
"""

from __future__ import annotations

import itertools
import re
import secrets
from typing import Final

REQUEST_ID: Final = b"x-request-id"
TRACE_PARENT: Final = b"traceparent"

# What UUIDs, ULIDs, base64 and the ids of proxies are written in. Nothing in it can end a header,
# a quoted value or a line of a log.
_VALID: Final = re.compile(rb"[0-9A-Za-z._~:+/=@-]{1,128}\Z")

# Version 00 ends after the flags. A later version may go on after a dash; ff is no version.
_VERSION: Final = rb"(?:00(?P<whole>)|(?!ff|00)[0-9a-f]{2})"
_IDS: Final = rb"(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}"
_END: Final = rb"(?(whole)\Z|(?:-.*)?\Z)"
_TRACE: Final = re.compile(_VERSION + b"-" + _IDS + b"-[0-9a-f]{2}" + _END, re.DOTALL)

# Ids of all processes differ: each counts from a place of its own among 2^63. No system call is
# made for one, and none is zero, which would be no id of a span.
_numbers: Final = itertools.count(1 + secrets.randbits(62))


class Identity:
    """What one request is known by.

    trace_id  the id of the client's trace, 32 hex digits; empty where there is none
    """

    __slots__ = ("_given", "_number", "trace_id")

    def __init__(self, request_id: bytes | None = None, trace_parent: bytes | None = None) -> None:
        """Take the values of the two headers; None where one is not there."""
        self._number = next(_numbers)
        self._given = request_id if request_id is not None and _VALID.match(request_id) else None
        self.trace_id = ""
        if trace_parent is not None:
            found = _TRACE.match(trace_parent)
            self.trace_id = found[2].decode("ascii") if found else ""

    @property
    def is_fresh(self) -> bool:
        """Whether the client has said nothing of it."""
        return self._given is None and not self.trace_id

    @property
    def request_id(self) -> str:
        """The client's id, or a fresh one."""
        return self.span_id if self._given is None else self._given.decode("ascii")

    @property
    def span_id(self) -> str:
        """A fresh id of 16 hex digits: in a trace, that of the server's work."""
        return f"{self._number:016x}"

    def lines(self) -> bytes:
        """The header lines of the answer.

        The flags of `traceresponse` say that no span was recorded, which is true.
        """
        if self._given is None and not self.trace_id:
            return b"x-request-id: %016x\r\n" % self._number
        line = f"x-request-id: {self.request_id}\r\n"
        if self.trace_id:
            line += f"traceresponse: 00-{self.trace_id}-{self.span_id}-00\r\n"
        return line.encode()
