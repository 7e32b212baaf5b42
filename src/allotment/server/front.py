"""Middleware of every request to FastAPI: strict targets, request ids, metrics, errors."""

from __future__ import annotations

import itertools
import secrets
import time

from starlette.requests import ClientDisconnect

from allotment.errors import Overloaded
from allotment.server.http.answer import send_answer
from allotment.server.http.asgi import App, Message, Receive, Scope, Send
from allotment.server.http.problems import answer_error
from allotment.server.http.requests import check_target
from allotment.server.metrics import Metrics
from allotment.server.sync.node import Node


class Front:
    """Wraps an application; see `_Sent` for what it adds to every answer."""

    def __init__(self, app: App, node: Node, metrics: Metrics) -> None:
        self._app = app
        self._node = node
        self._metrics = metrics
        # A request's id is unique among all processes, and costs no system call.
        self._run = secrets.token_hex(4)
        self._asked = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; anything else is passed on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = f"{self._run}{next(self._asked):08x}"
        scope["state"] = {**scope.get("state", {}), "request_id": request_id}
        sent = _Sent(scope, send, self._node)
        method: str = scope["method"]
        try:
            check_target(scope)
            if sent.head:
                scope["method"] = "GET"
            await self._app(scope, receive, sent)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001  # a request must not take the server with it
            if not sent.status:
                await send_answer(sent, answer_error(error, scope["path"], request_id))
        finally:
            route = scope.get("route")
            path = "other" if route is None else route.path
            took = time.perf_counter() - began
            self._metrics.observe(method, path, sent.status, took)


class _Sent:
    """Wraps `send`: notes the status, adds the revision's headers, drops the body of HEAD."""

    def __init__(self, scope: Scope, send: Send, node: Node) -> None:
        self.head = scope["method"] == "HEAD"
        self.status = 0
        self._is_refused = False
        self._scope = scope
        self._send = send
        self._node = node

    async def __call__(self, message: Message) -> None:
        if self._is_refused:
            return  # the rest of an answer whose head was refused
        if message["type"] != "http.response.start":
            await self._send({**message, "body": b""} if self.head else message)
            return
        message["headers"] = [*message.get("headers", ()), *self._more(message)]
        self.status = message["status"]
        try:
            await self._send(message)
        except Overloaded as full:  # there is no room for so large an answer
            request_id = self._scope["state"]["request_id"]
            await send_answer(self, answer_error(full, self._scope["path"], request_id))
            self._is_refused = True

    def _more(self, message: Message) -> list[tuple[bytes, bytes]]:
        more = [(b"x-content-type-options", b"nosniff")]
        served = self._node.spaces.get(self._scope["state"].get("space", ""))
        given = {name.lower() for name, _ in message.get("headers", ())}
        if served is not None and b"allotment-revision" not in given:
            more.extend(served.headers)
        return more
