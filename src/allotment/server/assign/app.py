"""The assignment paths: bytes in, bytes out, with nothing of the framework in between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET
from starlette.requests import ClientDisconnect

from allotment.errors import InvalidInput
from allotment.server.assign.at_once import counted, is_plain, refused
from allotment.server.assign.batch.batches import Batches, BrokenOff
from allotment.server.assign.bodies import AssignRequest, ExplainRequest, ResolveRequest
from allotment.server.assign.explained import Explained
from allotment.server.assign.reading import read_asked, read_target
from allotment.server.assign.shown import Shown
from allotment.server.assign.unit import OneUnit
from allotment.server.exposure_log import ExposureLog
from allotment.server.http.answer import Answering, Ready, sending
from allotment.server.http.asgi import Receive, Scope, Send
from allotment.server.http.limits import BODY_BYTES_MAX
from allotment.server.http.problems import answer_error, request_id_of
from allotment.server.http.refusals import MethodNotAllowed
from allotment.server.http.requests import header, small_body
from allotment.server.sticky.assignments import StickyAssignments
from allotment.server.sync.node import Node
from allotment.server.sync.spaces import Served
from allotment.store import Scope as TokenScope

_BATCH: Final = "/v1/assign/batch"
_EXACT: Final = frozenset({"/v1/assign", "/v1/resolve", "/v1/explain"})
_NEEDS: Final = TokenScope.ASSIGN
_ONCE: Final = (b"authorization", b"allotment-space", b"allotment-min-revision")

_assign: Final = msgspec.json.Decoder(AssignRequest)
_resolve: Final = msgspec.json.Decoder(ResolveRequest)
_explain: Final = msgspec.json.Decoder(ExplainRequest)


# What is known of a request: here its caller and its operation, for the metrics and the log.
State = dict[str, Any]


class _Operation(NamedTuple):
    """One path. `answer` takes the scope and the body; None where there is more to it."""

    path: str
    methods: tuple[str, ...]
    answer: Callable[[Shown, Scope, bytes], Ready | Awaitable[Ready]] | None


class AssignPaths:
    """Answers `/v1/resolve`, `/v1/explain`, `/v1/assign` and everything under it.

    An answer is wholly of one revision: the one that was served when the request came in.
    `explained` explains to others, too.
    """

    def __init__(
        self, node: Node, exposures: ExposureLog | None, keeping: StickyAssignments
    ) -> None:
        self._node = node
        self._unit = OneUnit(exposures, keeping)
        self.explained = Explained(node)
        self._batches = Batches(keeping, node.threads)
        self._shown: dict[str, Shown] = {}
        self._one = _Operation(
            "/v1/assign/{experiment}/{unit}", ("GET", "HEAD"), self._assign_addressed
        )
        posts = {
            "/v1/assign": self._assign,
            "/v1/resolve": self._resolve,
            "/v1/explain": self._explain,
            _BATCH: None,
        }
        self._operations = {path: _Operation(path, ("POST",), do) for path, do in posts.items()}

    def close(self) -> None:
        """End the threads of batches."""
        self._batches.close()

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
        scope["route"] = operation  # says the template of the path, as a route of the framework
        state: State = scope.setdefault("state", {})
        try:
            if scope["method"] not in operation.methods:
                raise MethodNotAllowed(operation.methods)
            shown = await self._admit(scope)
            if operation.answer is not None:
                body = b"" if operation is self._one else await _body(scope, receive)
                answer = operation.answer(shown, scope, body)
            else:
                state["operation"] = "batch"
                await self._batches.answer(scope, receive, send, shown)
                self._node.counters.assigned[operation.path] += 1
                return
            ready = self._counted(operation, scope, shown, answer)
        except ClientDisconnect:
            return
        except BrokenOff:
            raise
        except Exception as error:  # noqa: BLE001  # a request must not take the server with it
            ready = self._problem(operation, scope, shown, error)
        await sending(ready)(scope, receive, send)

    def at_once(self, scope: Scope) -> Answering | None:
        """What answers requests with this head, without waiting where nothing is waited for."""
        operation = self._operations.get(scope["path"], self._one)
        headers = dict(scope["headers"])
        by_address = operation is self._one
        if (
            operation.answer is None
            or scope["method"] not in operation.methods
            or scope["method"] == "HEAD"
            or (scope["query_string"] and not by_address)
            or not is_plain(scope, headers)
        ):
            return None
        scope["route"] = operation
        return self._answering(operation, headers)

    def _answering(self, operation: _Operation, headers: Mapping[bytes, bytes]) -> Answering:
        """What answers requests with these headers; of each, this runs."""
        node, answer, path = self._node, operation.answer, operation.path
        assert answer is not None
        token, space = headers.get(b"authorization"), headers.get(b"allotment-space")
        most = 0 if operation is self._one else BODY_BYTES_MAX

        def answering(scope: Scope, body: bytes) -> Ready | Awaitable[Ready] | None:
            if len(body) > most:
                return None
            shown: Shown | None = None
            try:
                caller = scope["state"]["caller"] = node.access.caller(token, space, _NEEDS)
                shown = self._shown_of(node.served(caller.space))
                ready = answer(shown, scope, body)
            except Exception as error:  # noqa: BLE001  # a request must not take the server with it
                return self._problem(operation, scope, shown, error)
            if isinstance(ready, Ready):
                node.counters.assigned[path] += 1
                return ready
            return self._counted(operation, scope, shown, ready)

        return answering

    def _counted(
        self, operation: _Operation, scope: Scope, shown: Shown, answer: Ready | Awaitable[Ready]
    ) -> Ready | Awaitable[Ready]:
        def problem(error: Exception) -> Ready:
            return self._problem(operation, scope, shown, error)

        return counted(answer, self._node.counters, operation.path, problem)

    def _problem(
        self, operation: _Operation, scope: Scope, shown: Shown | None, error: Exception
    ) -> Ready:
        # A path with a unit in it is not repeated: the unit may be a person.
        path = "" if operation is self._one else operation.path
        answer = answer_error(error, path, request_id_of(scope))
        return refused(answer, None if shown is None else shown.served)

    async def _admit(self, scope: Scope) -> Shown:
        """What is served of the caller's space, at least at the revision that the caller names."""
        given = scope["headers"]
        headers = dict(given)
        if len(headers) != len(given):
            for name in _ONCE:
                header(given, name)  # refuses one that is given twice
        caller = scope["state"]["caller"] = self._node.access.caller(
            headers.get(b"authorization"), headers.get(b"allotment-space"), _NEEDS
        )
        revision = headers.get(b"allotment-min-revision")
        return self._shown_of(await self._node.serve_from(caller.space, revision))

    def _shown_of(self, served: Served) -> Shown:
        shown = self._shown.get(served.space)
        if shown is None or shown.served is not served:
            shown = self._shown[served.space] = Shown(served)
        return shown

    def _assign(self, shown: Shown, scope: Scope, body: bytes) -> Ready | Awaitable[Ready]:
        asked = read_asked(_assign, body)
        one = asked.experiment is not UNSET and asked.experiments is UNSET
        scope["state"]["operation"] = "assign" if one else "assign_all"
        return self._unit.assign(shown, asked, body)

    def _assign_addressed(self, shown: Shown, scope: Scope, _: bytes) -> Ready | Awaitable[Ready]:
        scope["state"]["operation"] = "assign"
        asked, text = read_target(scope)
        return self._unit.assign(shown, asked, text)

    def _resolve(self, shown: Shown, scope: Scope, body: bytes) -> Ready | Awaitable[Ready]:
        asked = read_asked(_resolve, body)
        one = asked.flag is not UNSET and asked.flags is UNSET
        scope["state"]["operation"] = "resolve" if one else "resolve_all"
        return self._unit.resolve(shown, asked, body)

    def _explain(self, shown: Shown, scope: Scope, body: bytes) -> Awaitable[Ready]:
        scope["state"]["operation"] = "explain"
        return self.explained.explain(shown, read_asked(_explain, body), body)


async def _body(scope: Scope, receive: Receive) -> bytes:
    """The body, which mostly comes in one piece."""
    if scope["query_string"]:
        raise InvalidInput("there is no query parameter here; all goes into the body", "query")
    return await small_body(scope, receive)
