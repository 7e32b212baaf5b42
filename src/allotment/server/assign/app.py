"""The assignment paths: bytes in, bytes out, with nothing of the framework in between."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

import msgspec
from starlette.requests import ClientDisconnect

from allotment.errors import InvalidInput
from allotment.server.asgi import Receive, Scope, Send
from allotment.server.assign.asked import AssignAsked, ExplainAsked, ResolveAsked, read_asked
from allotment.server.assign.batch.answer import Batches, BrokenOff
from allotment.server.assign.explained import Explained
from allotment.server.assign.shown import ALWAYS, Shown
from allotment.server.assign.target import read_target
from allotment.server.assign.unit import OneUnit
from allotment.server.exposures import Exposures
from allotment.server.node import Node
from allotment.server.problems import answer_error
from allotment.server.refusals import MethodNotAllowed
from allotment.server.requests import header, read_body, whole
from allotment.server.settings import Settings
from allotment.store import Scope as Needs

_REVISION_MAX: Final = 10**17

_EXACT: Final = frozenset({"/v1/assign", "/v1/resolve", "/v1/explain"})
_ONCE: Final = (b"authorization", b"allotment-space", b"allotment-min-revision")

_assign: Final = msgspec.json.Decoder(AssignAsked)
_resolve: Final = msgspec.json.Decoder(ResolveAsked)
_explain: Final = msgspec.json.Decoder(ExplainAsked)

# Answers one request from what is shown: with a body of JSON, or None where it was sent already.
Do = Callable[[Scope, Receive, Send, Shown], Awaitable[bytes | None]]


class _Operation(NamedTuple):
    path: str
    methods: tuple[str, ...]
    do: Do


class AssignPaths:
    """Answers `/v1/resolve`, `/v1/explain`, `/v1/assign` and everything under it.

    An answer is wholly of one revision: the one that was served when the request came in.
    """

    def __init__(self, node: Node, exposures: Exposures | None, _settings: Settings) -> None:
        self._node = node
        self._unit = OneUnit(exposures)
        self._explained = Explained(node)
        self._batches = Batches()
        self._shown: dict[str, Shown] = {}
        self._one = _Operation(
            "/v1/assign/{experiment}/{unit}", ("GET", "HEAD"), self._assign_by_path
        )
        posts = {
            "/v1/assign": self._assign,
            "/v1/assign/batch": self._batches.answer,
            "/v1/resolve": self._resolve,
            "/v1/explain": self._explain,
        }
        self._operations = {path: _Operation(path, ("POST",), do) for path, do in posts.items()}

    @staticmethod
    def takes(path: str) -> bool:
        """Whether a path is answered here."""
        return path.startswith("/v1/assign/") or path in _EXACT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with what is wrong with it if something is.

        Raises BrokenOff where that is found too late to be said.
        """
        operation = self._operations.get(scope["path"], self._one)
        shown: Shown | None = None
        try:
            if scope["method"] not in operation.methods:
                raise MethodNotAllowed(operation.methods)
            shown = await self._admit(scope)
            body = await operation.do(scope, receive, send, shown)
            self._node.counters.assigned[operation.path] += 1
            if body is None:
                return
            status = 200
            headers = [*shown.headers, (b"content-length", b"%d" % len(body))]
        except ClientDisconnect:
            return
        except BrokenOff:
            raise
        except Exception as error:  # noqa: BLE001  # a request must not take the server with it
            # A path with a unit in it is not said again: whose it is concerns nobody else.
            path = "" if operation is self._one else operation.path
            answer = answer_error(error, path, secrets.token_hex(8))
            status, body = answer.status, answer.body
            headers = [(name.encode(), value.encode()) for name, value in answer.headers]
            headers += [(b"content-length", b"%d" % len(body)), *ALWAYS]
            headers += () if shown is None else shown.served.headers
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _admit(self, scope: Scope) -> Shown:
        """What is served of the caller's space, at least at the revision that the caller names."""
        given = scope["headers"]
        headers = dict(given)
        if len(headers) != len(given):
            for name in _ONCE:
                header(given, name)  # refuses one that is given twice
        client = scope.get("client")
        caller = self._node.access.caller(
            headers.get(b"authorization"),
            headers.get(b"allotment-space"),
            client[0] if client else None,
            Needs.ASSIGN,
        )
        wanted = headers.get(b"allotment-min-revision")
        if wanted is not None:
            text = wanted.decode("latin-1")
            revision = whole(text, "headers.Allotment-Min-Revision", 0, _REVISION_MAX)
            await self._node.at_least(caller.space, revision)
        served = self._node.served(caller.space)
        shown = self._shown.get(caller.space)
        if shown is None or shown.served is not served:
            shown = self._shown[caller.space] = Shown(served)
        return shown

    async def _assign(self, scope: Scope, receive: Receive, _send: Send, shown: Shown) -> bytes:
        return await self._unit.assign(shown, read_asked(_assign, await _body(scope, receive)))

    async def _assign_by_path(
        self, scope: Scope, _receive: Receive, _send: Send, shown: Shown
    ) -> bytes:
        experiment, unit, attributes = read_target(scope)
        return await self._unit.assign(shown, AssignAsked(unit, attributes, experiment))

    async def _resolve(self, scope: Scope, receive: Receive, _send: Send, shown: Shown) -> bytes:
        return await self._unit.resolve(shown, read_asked(_resolve, await _body(scope, receive)))

    async def _explain(self, scope: Scope, receive: Receive, _send: Send, shown: Shown) -> bytes:
        return await self._explained.explain(
            shown, read_asked(_explain, await _body(scope, receive))
        )


async def _body(scope: Scope, receive: Receive) -> bytes:
    if scope["query_string"]:
        raise InvalidInput("there is no query parameter here; all goes into the body", "query")
    return await read_body(scope, receive)
