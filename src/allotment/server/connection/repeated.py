"""Requests whose head, byte for byte, was read before: they are answered without the parser.

A client that asks for one assignment after another sends the same head with most of them. What a
head means depends on its bytes alone, so what the parser made of them the first time holds again.
Nothing is parsed here: a head that differs in one byte, a body that is not there whole, and a
request that has to wait for anything are the parser's, as if this were not there. Whether the
caller may ask is looked up for each request, as a token may be revoked at any time.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

from allotment.server.connection.cycle import Cycle
from allotment.server.connection.head import RequestHead, lines_of, unescaped
from allotment.server.connection.identity import Identity
from allotment.server.connection.known_heads import KnownHead, addressed
from allotment.server.connection.parsing import Parsing
from allotment.server.http.answer import Ready, sending


class Repeating(Parsing):
    """A connection that answers requests with known heads by itself."""

    _last: KnownHead | None = None  # the head of the request before
    _scope: dict[str, Any]  # of the requests that have it, one after the other

    def answer_repeated(self, data: bytes) -> bytes:
        """Answer the requests with known heads that the data begins with; gives what is left.

        The connection is at rest. Whatever is unusual is left to the parser, or goes the way of
        every other request from here on: nothing is done twice.
        """
        state, load = self.state, self.state.load
        while data:
            begun = perf_counter()
            known = self._last
            if known is not None and not known.addressed and data.startswith(known.text):
                size = len(known.text)
            else:
                known, size = self._recall(data)
            if (
                known is None
                or len(data) < (end := size + known.length)
                or load.in_flight >= load.limit
                or state.draining
                or self.flow.write_paused
                or self.transport.is_closing()
            ):
                return data
            body, data = data[size:end], data[end:]
            self.requests += 1
            state.heads.used += 1
            scope, own = self._scope, self.app_state.copy()
            scope["state"] = own
            own["identity"] = identity = Identity()
            ready = known.answering(scope, body)
            if not isinstance(ready, Ready) or (lines := lines_of(ready)) is None:
                self._go_on(body, ready)
                return data
            load.pass_through()
            answer = (state.opening(ready.status), lines, identity.lines(), b"\r\n", ready.body)
            self.transport.write(b"".join(answer))
            seconds = perf_counter() - begun
            state.ended(scope, scope["method"], ready.status, len(ready.body), seconds, seconds)
        return data

    def _recall(self, data: bytes) -> tuple[KnownHead | None, int]:
        """The known head that data begins with, and how long it is there."""
        line, known = addressed(data), self._last
        start = 0 if line is None else line.end()
        if not start or known is None or data[start:] != known.text:
            known = self.state.heads.find(data, start)
            if known is None:
                return None, 0
            if known is not self._last:
                self._last, self._scope = known, {**self.common, **known.scope}
        if line is not None:
            self._scope["raw_path"], self._scope["query_string"] = line.groups(b"")
        return known, start + len(known.text)

    def _go_on(self, body: bytes, ready: Any) -> None:
        """Let a request go the way of all others: it has to wait, or its answer is large."""
        scope, self._last = self._scope, None
        scope["path"] = unescaped(scope["raw_path"])
        self.cycle = cycle = Cycle(self, scope, RequestHead(), keep_alive=True)
        cycle.body = body
        cycle.received = len(body)
        cycle.more_body = False
        app: Any = self.app if ready is None else sending(ready)
        self.begin(cycle, app)
