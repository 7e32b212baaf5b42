"""Requests whose head, byte for byte, was read before: they are answered without the parser.

A client that asks for one assignment after another sends the same head with most of them. What a
head means depends on its bytes alone, so what the parser made of them the first time holds again.
Nothing is parsed here: a head that differs in one byte, a body that is not there whole, and a
request that has to wait for anything are the parser's, as if this were not there. Whether the
caller may ask is looked up for each request, as a token may be revoked at any time.
"""

from __future__ import annotations

import time
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from allotment.server.connection.cycle import Cycle, is_small
from allotment.server.connection.head import RequestHead, lines_of
from allotment.server.connection.identity import Identity
from allotment.server.connection.known_heads import END, KnownHead
from allotment.server.connection.parsing import Parsing
from allotment.server.http.answer import Ready, sending


class Repeating(Parsing):
    """A connection that answers requests with known heads by itself."""

    _last: KnownHead | None = None  # the head of the request before
    _scope: dict[str, Any]  # what it says of every request that has it

    def answer_repeated(self, data: bytes) -> bytes:
        """Answer the requests with known heads that the data begins with; gives what is left.

        The connection is at rest. Whatever is unusual is left to the parser, or goes the way of
        every other request from here on: nothing is done twice.
        """
        state, find, load = self.state, self.state.heads.find, self.state.load
        while data:
            end = data.find(END) + len(END)
            known = find(data[:end])
            if (
                known is None
                or len(data) < end + known.length
                or load.in_flight >= load.limit
                or state.draining
                or self.flow.write_paused
                or self.transport.is_closing()
            ):
                return data
            body, data = data[end : end + known.length], data[end + known.length :]
            begun = time.perf_counter()
            self.requests += 1
            state.heads.used += 1
            if known is not self._last:
                self._last, self._scope = known, {**self.common, **known.scope}
            scope = self._scope.copy()
            scope["state"] = {**self.app_state, "identity": Identity()}
            ready = known.answering(scope, body)
            if ready is None or not is_small(ready) or (lines := lines_of(ready)) is None:
                self._go_on(scope, body, ready)
                return data
            load.pass_through()
            self._say(scope, ready, lines, begun)
        return data

    def _say(self, scope: dict[str, Any], ready: Ready, lines: bytes, begun: float) -> None:
        """Send an answer; it ends as every other does."""
        state, identity = self.state, scope["state"]["identity"]
        head = (STATUS_LINE[ready.status], state.default_lines(), lines, identity.lines())
        self.transport.write(b"".join((*head, b"\r\n", ready.body)))
        seconds = time.perf_counter() - begun
        state.ended(scope, scope["method"], ready.status, len(ready.body), seconds, seconds)

    def _go_on(self, scope: dict[str, Any], body: bytes, ready: Any) -> None:
        """Let a request go the way of all others: it has to wait, or its answer is large."""
        self.cycle = cycle = Cycle(self, scope, RequestHead(), keep_alive=True)
        cycle.body += body
        cycle.received = len(body)
        cycle.more_body = False
        app: Any = self.app if ready is None else sending(ready)
        self.begin(cycle, app)
