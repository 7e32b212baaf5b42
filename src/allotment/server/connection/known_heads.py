"""The heads of requests that were read before, by their bytes."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple, Protocol

from allotment.server.connection.head import unescaped
from allotment.server.connection.identity import Identity
from allotment.server.http.answer import Answering

END: Final = b"\r\n\r\n"

# So many heads of so many bytes, of each of two kinds, take four megabytes. Those of one client
# differ in their `Content-Length`; those of many, in their tokens.
HEADS_MAX: Final = 1024
_HEAD_BYTES_MAX: Final = 2048

# A first line that any reader reads alike; each target of an assignment by address has its unit.
_PART: Final = rb"[0-9A-Za-z._~%-]+"
_ADDRESSED: Final = re.compile(
    rb"GET (/v1/assign/%b/%b)(?:\?([0-9A-Za-z._~%%=&+-]*))? HTTP/1\.1\Z" % (_PART, _PART)
)
_IN_SCOPE: Final = (
    "http_version",
    "method",
    "path",
    "raw_path",
    "query_string",
    "headers",
    "route",
)


class KnownHead(NamedTuple):
    """What a head says: its part of the scope, how many bytes of body follow, and who answers."""

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

    def find(self, head: bytes) -> KnownHead | None:
        """What a head says, if it was read before."""
        known = self._whole.get(head)
        if known is None and len(head) <= _HEAD_BYTES_MAX and head.startswith(b"GET /v1/assign/"):
            line, _, rest = head.partition(b"\r\n")
            known = self._addressed.get(rest)
            found = _ADDRESSED.match(line) if known is not None else None
            return None if known is None or found is None else _at(known, found)
        return known

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
            or head.find(END) != len(head) - len(END)
            or any(name == b"transfer-encoding" for name, _ in scope["headers"])
        ):
            return
        own = {name: scope[name] for name in _IN_SCOPE}
        known = KnownHead(own, request.received, request.answering)
        if scope["method"] != "GET":
            _keep(self._whole, head, known)
        else:
            line, _, rest = head.partition(b"\r\n")
            if request.received or not _ADDRESSED.match(line):
                return
            _keep(self._addressed, rest, known)
        self.learned += 1


def _keep(heads: dict[bytes, KnownHead], head: bytes, known: KnownHead) -> None:
    if len(heads) >= HEADS_MAX:
        heads.clear()
    heads[head] = known


def _at(known: KnownHead, line: re.Match[bytes]) -> KnownHead:
    """What a head says that has another target."""
    path, query = line.groups(b"")
    target = {"path": unescaped(path), "raw_path": path, "query_string": query}
    return known._replace(scope={**known.scope, **target})
