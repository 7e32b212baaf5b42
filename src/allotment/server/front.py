"""Middleware of every request to FastAPI: strict targets, the revision, errors."""

from __future__ import annotations

from starlette.requests import ClientDisconnect

from allotment.errors import Overloaded
from allotment.server.auth.access import Caller
from allotment.server.http.answer import send_answer
from allotment.server.http.asgi import App, Message, Receive, Scope, Send
from allotment.server.http.problems import answer_error, request_id_of
from allotment.server.http.requests import check_target
from allotment.server.sync.node import Node


class Front:
    """Wraps an application; see `_Sent` for what it adds to every answer."""

    def __init__(self, app: App, node: Node) -> None:
        self._app = app
        self._node = node

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; anything else is passed on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})  # a route may make a copy of the scope
        sent = _Sent(scope, send, self._node)
        try:
            check_target(scope)
            if sent.head:
                scope["method"] = "GET"
                scope["state"]["to_head"] = True
            await self._app(scope, receive, sent)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001  # a request must not take the server with it
            if not sent.status:
                await send_answer(sent, answer_error(error, scope["path"], request_id_of(scope)))


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
            answer = answer_error(full, self._scope["path"], request_id_of(self._scope))
            await send_answer(self, answer)
            self._is_refused = True

    def _more(self, message: Message) -> list[tuple[bytes, bytes]]:
        more = [(b"x-content-type-options", b"nosniff")]
        caller: Caller | None = self._scope["state"].get("caller")
        served = None if caller is None else self._node.spaces.get(caller.space)
        given = {name.lower() for name, _ in message.get("headers", ())}
        if served is not None and b"allotment-revision" not in given:
            more.extend(served.headers)
        return more
