"""The paths of OFREP: bytes in, bytes out, with nothing of the framework in between."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from functools import lru_cache, partial
from typing import Final
from urllib.parse import unquote

import msgspec
from starlette.requests import ClientDisconnect

from allotment.errors import InvalidInput, NotFound, Overloaded, PreconditionFailed
from allotment.kernel.json_shape import JsonShape
from allotment.server.assign.at_once import counted, is_plain, refused
from allotment.server.assign.reading import decoded
from allotment.server.assign.shown import Shown
from allotment.server.auth.access import SPACE_NAME, Access, Caller
from allotment.server.exposure_log import ExposureLog
from allotment.server.http.answer import Answering, Ready, sending
from allotment.server.http.asgi import App, Receive, Scope, Send
from allotment.server.http.limits import BODY_BYTES_MAX
from allotment.server.http.problems import answer_error, request_id_of
from allotment.server.http.refusals import MethodNotAllowed, NoSuchPath
from allotment.server.http.requests import check_shape, header, joined_header, small_body
from allotment.server.ofrep.errors import about_flag
from allotment.server.ofrep.evaluating import AllFlags, Answer, Evaluating
from allotment.server.ofrep.flags import ShownFlags
from allotment.server.ofrep.stream import stream
from allotment.server.ofrep.target import (
    FIRST_STEPS,
    PROJECT,
    STREAM,
    TICKET,
    Target,
    event_of,
    revision_of,
    target_of,
    ticket_in,
)
from allotment.server.sticky.assignments import StickyAssignments
from allotment.server.streams import Streams
from allotment.server.sync.node import Node
from allotment.server.sync.spaces import Served
from allotment.store import Scope as Needs

_SPACE: Final = re.compile(SPACE_NAME[1:-1].encode() + rb"\Z")
_ONCE: Final = (b"authorization", b"x-api-key", b"allotment-space", b"allotment-min-revision")

_PATIENCE: Final = 1.0

# How long a page that is not looked at keeps its stream.
_INACTIVE_SECONDS: Final = 120


class OfrepPaths:
    """Answers the paths of OFREP, of a space that the token or the path names.

    An answer is wholly of one revision: the one that was served when the request came in.
    """

    def __init__(
        self,
        node: Node,
        exposures: ExposureLog | None,
        keeping: StickyAssignments,
        streams: Streams,
    ) -> None:
        self._node = node
        self._evaluating = Evaluating(exposures, keeping)
        self._streams = streams
        self._flags: dict[str, ShownFlags] = {}

    @staticmethod
    def takes(path: str) -> bool:
        """Whether a path is answered here."""
        return path.startswith(FIRST_STEPS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with what is wrong with it if something is."""
        scope.setdefault("state", {})
        target = target_of(scope)
        flags: ShownFlags | None = None
        try:
            if target is None:
                raise NoSuchPath
            scope["route"] = target.operation
            if scope["method"] != target.operation.method:
                raise MethodNotAllowed((target.operation.method,))
            headers = scope["headers"]
            if target.operation.method == "GET":
                stream = await self._stream(scope, target)
                await stream(scope, receive, send)
                return
            caller = self._caller(scope, target, dict(headers))
            event = event_of(scope, target)
            await self._catch_up(caller.space, event or 0)
            revision = header(headers, b"allotment-min-revision")
            flags = self._flags_of(await self._node.serve_from(caller.space, revision))
            body = await small_body(scope, receive)
            answer = self._answer(scope, target, flags, body, forced=event is not None)
            ready = self._counted(scope, target, flags, answer)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001  # a request must not take the server with it
            ready = _problem(error, scope, target, flags)
        await sending(ready)(scope, receive, send)

    def at_once(self, scope: Scope) -> Answering | None:
        """What answers requests with this head, without waiting where nothing is waited for."""
        target = target_of(scope)
        headers = dict(scope["headers"])
        if (
            target is None
            or scope["method"] != "POST"
            or target.operation.method != "POST"
            or scope["query_string"]
            or not is_plain(scope, headers)
        ):
            return None
        scope["route"] = target.operation
        return partial(self._answer_at_once, target, headers)

    def _answer_at_once(
        self, target: Target, headers: Mapping[bytes, bytes], scope: Scope, body: bytes
    ) -> Ready | Awaitable[Ready] | None:
        if len(body) > BODY_BYTES_MAX:
            return None
        flags: ShownFlags | None = None
        try:
            caller = self._caller(scope, target, headers)
            flags = self._flags_of(self._node.served(caller.space))
            check_shape(body, JsonShape())
            answer = self._answer(scope, target, flags, body, forced=False)
        except Exception as error:  # noqa: BLE001  # a request must not take the server with it
            return _problem(error, scope, target, flags)
        return self._counted(scope, target, flags, answer)

    def _answer(
        self, scope: Scope, target: Target, flags: ShownFlags, body: bytes, *, forced: bool
    ) -> Answer:
        scope["state"]["operation"] = target.operation.name
        if target.key is None:
            asked = AllFlags.read(scope, body, self._event_streams(scope), forced=forced)
            return self._evaluating.all(flags, asked)
        return self._evaluating.one(flags, decoded(target.key, "path"), body)

    def _counted(
        self, scope: Scope, target: Target, flags: ShownFlags, answer: Answer
    ) -> Ready | Awaitable[Ready]:
        def problem(error: Exception) -> Ready:
            return _problem(error, scope, target, flags)

        return counted(answer, self._node.counters, target.operation.path, problem)

    # Who asks, and what is served.

    def _caller(self, scope: Scope, target: Target, headers: Mapping[bytes, bytes]) -> Caller:
        """Who asks, by either of the two headers that the protocol has for a token."""
        given = scope["headers"]
        if len(headers) != len(given):
            for name in _ONCE:
                header(given, name)  # refuses one that is given twice
        token = headers.get(b"authorization", headers.get(b"x-api-key"))
        named, space = headers.get(b"allotment-space"), target.space
        if space is not None and not _SPACE.match(space):
            self._node.access.caller(token, named, Needs.ASSIGN)
            raise NotFound("there is no such project or environment", "path")
        caller = self._node.access.caller(token, named or space, Needs.ASSIGN)
        scope["state"]["caller"] = caller
        if space not in (None, caller.space.encode()):
            message = "the path names another space; leave the header out"
            raise InvalidInput(message, "headers.Allotment-Space")
        return caller

    async def _catch_up(self, space: str, revision: int) -> None:
        """Serve what the caller has heard of: from a process that is ahead of this one.

        Or of a history that is gone: then what is served is the latest there is.
        """
        with suppress(PreconditionFailed, Overloaded):
            await self._node.at_least(space, revision, _PATIENCE)

    def _flags_of(self, served: Served) -> ShownFlags:
        flags = self._flags.get(served.space)
        if flags is None or flags.shown.served is not served:
            flags = self._flags[served.space] = ShownFlags(Shown(served))
        return flags

    # The stream of events.

    async def _stream(self, scope: Scope, target: Target) -> App:
        """The stream of the caller's space, opened by a token in a header or by a ticket."""
        last = joined_header(scope["headers"], b"last-event-id")
        ticket = ticket_in(scope)
        if ticket is None:
            given = dict(scope["headers"])
            caller = self._caller(scope, target, given)
            token = given.get(b"authorization", given.get(b"x-api-key"))

            def holds(access: Access) -> Caller:
                return access.caller(token, caller.space.encode(), Needs.ASSIGN)
        else:
            space = (target.space or b"").decode("latin-1")

            def holds(access: Access) -> Caller:
                return access.holder(ticket, space)

            caller = scope["state"]["caller"] = holds(self._node.access)
        await self._catch_up(caller.space, revision_of(last or ""))
        return stream(self._streams, self._node.served(caller.space), last, holds)

    def _event_streams(self, scope: Scope) -> bytes:
        caller: Caller = scope["state"]["caller"]
        return _event_stream(caller.space, self._node.access.ticket(caller))


@lru_cache(4096)
def _event_stream(space: str, ticket: str) -> bytes:
    """Where a caller's stream is; its address holds as long as the tag of an answer does."""
    project, _, environment = space.partition("/")
    path = f"{PROJECT}{STREAM}".format(projectKey=project, environmentKey=environment)
    stream_of = {
        "type": "sse",
        "endpoint": {"requestUri": f"{path}?{TICKET}={ticket}" if ticket else path},
        "inactivityDelaySec": _INACTIVE_SECONDS,
    }
    return msgspec.json.encode(stream_of)


def _problem(
    error: Exception, scope: Scope, target: Target | None, flags: ShownFlags | None
) -> Ready:
    answer = answer_error(error, FIRST_STEPS[0], request_id_of(scope))
    if target is not None and target.key is not None:
        answer = about_flag(answer, unquote(target.key.decode("latin-1")))
    return refused(answer, None if flags is None else flags.shown.served)
