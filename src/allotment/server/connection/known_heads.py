"""The heads of requests that were read before, by their bytes."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple, Protocol

from allotment.server.connection.identity import Identity
from allotment.server.http.answer import Answering

_END: Final = b"\r\n\r\n"

# So many heads of so many bytes, of each of two kinds, take four megabytes. Those of one client
# differ in their `Content-Length`; those of many, in their tokens.
HEADS_MAX: Final = 1024
_HEAD_BYTES_MAX: Final = 2048

# A first line that any reader reads alike; each target of an assignment by address has its unit.
_PART: Final = rb"[0-9A-Za-z._~%-]+"
addressed: Final = re.compile(
    rb"GET (/v1/assign/%b/%b)(?:\?([0-9A-Za-z._~%%=&+-]*))? HTTP/1\.1\r\n" % (_PART, _PART)
).match
_OWN: Final = ("http_version", "method", "path", "raw_path", "query_string", "headers", "route")


class KnownHead(NamedTuple):
    """What a head says: its part of the scope, how many bytes of body follow, and who answers.

    `text` is the head; of one that is `addressed`, all lines but the first.
    """

    text: bytes
    addressed: bool
    scope: dict[str, Any]
    length: int
    answering: Answering


class Answered(Protocol):
    """A request that was answered; `answering` has done so as it was read, unless it is None."""

    scope: Any
    received: int
    status: int
    keep_alive: bool
    identity: Identity
    answering: Answering | None


class KnownHeads:
    """The heads that were read before; `learned` counts them, `used` how often one was met again.

    A head is known by all of its bytes. That of an assignment by address is known by all but its
    first line, whose form is so plain that no reader could read it otherwise.
    """

    def __init__(self) -> None:
        self._whole: dict[bytes, KnownHead] = {}
        self._addressed: dict[bytes, KnownHead] = {}  # by what follows the first line
        self.learned = 0
        self.used = 0

    def find(self, data: bytes, start: int) -> KnownHead | None:
        """The head that data begins with, if it was read before.

        `start` is where the second line begins if the first one is `addressed`; else 0.
        """
        end = data.find(_END, start) + len(_END)
        if not start:
            return self._whole.get(data[:end])
        return self._addressed.get(data[start:end]) if end <= _HEAD_BYTES_MAX else None

    def learn(self, packet: bytes, request: Answered) -> None:
        """Remember the head of a packet that was one request, and was answered at once."""
        head = packet[: len(packet) - request.received]
        scope = request.scope
        if (
            request.answering is None
            or request.status != 200
            or not request.keep_alive
            or not request.identity.is_fresh
            or len(head) > _HEAD_BYTES_MAX
            or head.find(_END) != len(head) - len(_END)
            or any(name == b"transfer-encoding" for name, _ in scope["headers"])
        ):
            return
        is_get, heads = scope["method"] == "GET", self._whole
        if is_get:
            line, heads = addressed(head), self._addressed
            if request.received or line is None:
                return
            head = head[line.end() :]
        if len(heads) >= HEADS_MAX:
            heads.clear()
        own = {name: scope[name] for name in _OWN}
        heads[head] = KnownHead(head, is_get, own, request.received, request.answering)
        self.learned += 1
