"""The paths of OFREP: bytes in, bytes out, with nothing of the framework in between."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import unquote

from starlette.requests import ClientDisconnect

from allotment.errors import InvalidInput, NotFound, Overloaded, PreconditionFailed
from allotment.kernel.json_shape import JsonShape
from allotment.server.assign.bodies import ResolveRequest
from allotment.server.assign.effort import Size, effort
from allotment.server.assign.reading import decoded
from allotment.server.assign.shown import ALWAYS, Shown
from allotment.server.assign.unit import MANY, OneUnit, is_long
from allotment.server.auth.access import SPACE_NAME, Caller
from allotment.server.exposures import Exposures
from allotment.server.http.answer import Ready, raw_headers, sending
from allotment.server.http.asgi import Receive, Scope, Send
from allotment.server.http.etags import catalog_version, etag, has
from allotment.server.http.headers import Tags, read_tags
from allotment.server.http.limits import BODY_BYTES_MAX, ON_LOOP, SMALL_BYTES
from allotment.server.http.problems import answer_error, request_id_of
from allotment.server.http.refusals import MethodNotAllowed, NoSuchPath
from allotment.server.http.requests import check_shape, header, joined_header, small_body
from allotment.server.ofrep.context import Context, canonical, read_context, read_request
from allotment.server.ofrep.errors import about_flag
from allotment.server.ofrep.flags import (
    MISSING,
    Evaluated,
    ShownFlag,
    ShownFlags,
    Whole,
    failure_of,
)
from allotment.server.ofrep.target import FIRST_STEPS, Target, event_of, target_of
from allotment.server.sticky import StickyAssignments
from allotment.server.sync.node import Node
from allotment.server.sync.spaces import Served
from allotment.store import Scope as Needs

_SPACE: Final = re.compile(SPACE_NAME[1:-1].encode() + rb"\Z")
_ONCE: Final = (b"authorization", b"x-api-key", b"allotment-space", b"allotment-min-revision")

_PATIENCE: Final = 1.0

_DIGEST_BYTES: Final = 16

Answer: TypeAlias = Ready | Awaitable[Ready]


class _All(NamedTuple):
    """A request for all flags: for whom, and what the client has already.

    text  the context in its canonical form
    forced  whether an event has told the client to ask
    """

    context: Context
    text: bytes
    body: bytes
    tags: Tags
    forced: bool

    @classmethod
    def read(cls, scope: Scope, body: bytes, *, forced: bool) -> _All:
        """As the request has it."""
        written = read_request(body)
        text = canonical(written)
        named = joined_header(scope["headers"], b"if-none-match")
        tags = Tags() if named is None else read_tags(named, "If-None-Match")
        return cls(read_context(written), text, body, tags, forced)

    def has(self, tag: str) -> bool:
        """Whether the client need not be told again; `*` names no answer to this context."""
        return not self.forced and not self.tags.any and has(self.tags, tag)


class OfrepPaths:
    """Answers the paths of OFREP, of a space that the token or the path names.

    An answer is wholly of one revision: the one that was served when the request came in.
    """

    def __init__(self, node: Node, exposures: Exposures | None, keeping: StickyAssignments) -> None:
        self._node = node
        self._unit = OneUnit(exposures, keeping)
        self._keeping = keeping
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
            if scope["method"] != "POST":
                raise MethodNotAllowed(("POST",))
            headers = scope["headers"]
            caller = self._caller(scope, target, dict(headers))
            event = event_of(scope, target)
            if event:
                # It came from a process that is ahead of this one, or of a history that is gone.
                with suppress(PreconditionFailed, Overloaded):
                    await self._node.at_least(caller.space, event, _PATIENCE)
            revision = header(headers, b"allotment-min-revision")
            flags = self._flags_of(await self._node.serve_from(caller.space, revision))
            body = await small_body(scope, receive)
            answer = self._answer(scope, target, flags, body, forced=event is not None)
            ready = await self._ready(scope, target, flags, answer)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001  # a request must not take the server with it
            ready = _problem(error, scope, target, flags)
        await sending(ready)(scope, receive, send)

    def at_once(self, scope: Scope, body: bytes) -> Ready | Awaitable[Ready] | None:
        """The answer to a request whose body is there, without waiting where nothing is waited for.

        None is for a request that `__call__` is to answer; nothing was done of it.
        """
        target = target_of(scope)
        headers = dict(scope["headers"])
        if (
            target is None
            or scope["method"] != "POST"
            or scope["query_string"]
            or len(body) > BODY_BYTES_MAX
            or b"allotment-min-revision" in headers
        ):
            return None
        scope["route"] = target.operation
        flags: ShownFlags | None = None
        try:
            caller = self._caller(scope, target, headers)
            flags = self._flags_of(self._node.served(caller.space))
            check_shape(body, JsonShape())
            answer = self._answer(scope, target, flags, body, forced=False)
        except Exception as error:  # noqa: BLE001  # a request must not take the server with it
            return _problem(error, scope, target, flags)
        if isinstance(answer, Ready):
            self._node.counters.assigned[target.operation.path] += 1
            return answer
        return self._ready(scope, target, flags, answer)

    def _answer(
        self, scope: Scope, target: Target, flags: ShownFlags, body: bytes, *, forced: bool
    ) -> Answer:
        scope["state"]["operation"] = target.operation.name
        if target.key is None:
            return self._all(flags, _All.read(scope, body, forced=forced))
        return self._one(flags, decoded(target.key, "path"), body)

    async def _ready(
        self, scope: Scope, target: Target, flags: ShownFlags, answer: Answer
    ) -> Ready:
        """The answer once it is there, and counted; or what went wrong."""
        try:
            ready = answer if isinstance(answer, Ready) else await answer
        except Exception as error:  # noqa: BLE001  # a request must not take the server with it
            return _problem(error, scope, target, flags)
        self._node.counters.assigned[target.operation.path] += 1
        return ready

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

    def _flags_of(self, served: Served) -> ShownFlags:
        flags = self._flags.get(served.space)
        if flags is None or flags.shown.served is not served:
            flags = self._flags[served.space] = ShownFlags(Shown(served))
        return flags

    # One flag.

    def _one(self, flags: ShownFlags, key: str, body: bytes) -> Answer:
        context = read_context(read_request(body))
        flag = flags.flag(key)
        if flag is None:
            raise NotFound("there is no such flag")
        long = (flag.is_heavy or not flag.is_simple or len(body) > SMALL_BYTES) and is_long(
            flags.shown, (key,), body
        )
        if long or flag.keeps:
            return self._one_slowly(flags, flag, context, long=long)
        return self._shown(flags, flag, context, flags.evaluate(flag, context))

    async def _one_slowly(
        self, flags: ShownFlags, flag: ShownFlag, context: Context, *, long: bool
    ) -> Ready:
        if flag.keeps:
            evaluated = await self._kept(flags, flag, context, long=long)
        else:
            evaluated = await self._keeping.in_thread(lambda: flags.evaluate(flag, context))
        return self._shown(flags, flag, context, evaluated)

    async def _kept(
        self, flags: ShownFlags, flag: ShownFlag, context: Context, *, long: bool
    ) -> Evaluated:
        served = flags.shown.served
        resolution, given = await self._keeping.resolve(
            served, flag.noun.key, context.unit, context.attributes, long=long
        )
        return flags.evaluated(flag, resolution, given)

    def _shown(
        self, flags: ShownFlags, flag: ShownFlag, context: Context, evaluated: Evaluated
    ) -> Ready:
        """The answer for one flag; its treatment is logged as shown."""
        if evaluated.alone is None:
            raise InvalidInput(failure_of(flag).errorDetails, code=MISSING)
        if evaluated.given is not None:
            asked = ResolveRequest(context.unit, context.attributes)
            self._unit.expose(flags.shown, asked, (evaluated.given,))
        return evaluated.alone

    # All flags. None is logged as shown: a client asks for all, and shows few.

    def _all(self, flags: ShownFlags, asked: _All) -> Answer:
        served = flags.shown.served
        long = len(flags.nouns) > MANY or len(asked.body) > SMALL_BYTES
        if served.keeping or long:
            return self._all_slowly(flags, asked, long=long)
        tag = _tag(served, asked.text)
        if asked.has(tag):
            return _unchanged(flags, tag)
        whole = flags.whole()
        if _cost(flags, whole, asked) > ON_LOOP or len(whole.experiments) > MANY:
            return self._all_slowly(flags, asked, long=True)
        return _listed(flags, flags.evaluate_all(asked.context), tag)

    async def _all_slowly(self, flags: ShownFlags, asked: _All, *, long: bool) -> Ready:
        served, context = flags.shown.served, asked.context
        in_thread = self._keeping.in_thread
        whole = await in_thread(flags.whole) if long else flags.whole()
        tag = _tag(served, asked.text)
        if not whole.keeping and asked.has(tag):
            return _unchanged(flags, tag)
        cost = _cost(flags, whole, asked)
        long = long or cost > ON_LOOP or len(whole.experiments) > MANY
        asks = (self._kept(flags, flag, context, long=long) for flag in whole.keeping)
        keys = [flag.noun.key for flag in whole.keeping]
        kept = dict(zip(keys, await asyncio.gather(*asks), strict=True))

        def show() -> Ready:
            members = flags.evaluate_all(context, kept, turns=long)
            if not whole.keeping:
                return _listed(flags, members, tag)
            # What is kept changes without a revision, so the tag is of the answer too.
            own = _tag(served, asked.text, *members)
            return _unchanged(flags, own) if asked.has(own) else _listed(flags, members, own)

        return await in_thread(show) if long else show()


def _cost(flags: ShownFlags, whole: Whole, asked: _All) -> int:
    return effort(flags.shown, whole.experiments, Size.of(asked.body), whole.work)


def _tag(served: Served, *texts: bytes) -> str:
    """The entity tag of what a context is answered: of the revision, and of all these texts."""
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for text in texts:
        digest.update(b"%d:%b" % (len(text), text))
    return etag(catalog_version(served.stored.head), digest.hexdigest())


def _unchanged(flags: ShownFlags, tag: str) -> Ready:
    headers = [*ALWAYS, *flags.shown.served.headers, (b"etag", tag.encode())]
    return Ready(headers, b"", 304)


def _listed(flags: ShownFlags, members: list[bytes], tag: str) -> Ready:
    revision = flags.shown.served.revision
    headers, body, _ = flags.shown.ready(
        b'{"flags":[%b],"metadata":{"revision":%d}}' % (b",".join(members), revision)
    )
    return Ready([*headers, (b"etag", tag.encode())], body)


def _problem(
    error: Exception, scope: Scope, target: Target | None, flags: ShownFlags | None
) -> Ready:
    answer = answer_error(error, FIRST_STEPS[0], request_id_of(scope))
    if target is not None and target.key is not None:
        answer = about_flag(answer, unquote(target.key.decode("latin-1")))
    headers = [*raw_headers(answer), *ALWAYS]
    if flags is not None:
        headers += flags.shown.served.headers
    return Ready(headers, answer.body, answer.status)
