"""What one flag, or all flags, are answered: in a thread where it may take long."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable
from typing import Final, NamedTuple, TypeAlias

from allotment.errors import InvalidInput, NotFound
from allotment.server.assign.bodies import ResolveRequest
from allotment.server.assign.effort import Size, effort
from allotment.server.assign.shown import ALWAYS
from allotment.server.assign.unit import MANY, OneUnit, is_long
from allotment.server.exposure_log import ExposureLog
from allotment.server.http.answer import Ready
from allotment.server.http.asgi import Scope
from allotment.server.http.etags import catalog_version, etag, has
from allotment.server.http.headers import Tags, read_tags
from allotment.server.http.limits import ON_LOOP, SMALL_BYTES
from allotment.server.http.requests import joined_header
from allotment.server.ofrep.context import Context, canonical, read_context, read_request
from allotment.server.ofrep.flags import (
    MISSING,
    Evaluated,
    ShownFlag,
    ShownFlags,
    Whole,
    failure_of,
)
from allotment.server.sticky.assignments import StickyAssignments
from allotment.server.sync.spaces import Served

_DIGEST_BYTES: Final = 16

# The first request for all flags of a revision makes each of them, at some 10 us a flag.
_MANY_NEW: Final = 200

Answer: TypeAlias = Ready | Awaitable[Ready]


class AllFlags(NamedTuple):
    """A request for all flags: for whom, and what the client has already.

    text    the context in its canonical form
    forced  whether an event made the client ask
    streams  the stream of events that makes the client ask again
    """

    context: Context
    text: bytes
    body: bytes
    tags: Tags
    forced: bool
    streams: bytes

    @classmethod
    def read(cls, scope: Scope, body: bytes, streams: bytes, *, forced: bool) -> AllFlags:
        """As the request has it."""
        written = read_request(body)
        text = canonical(written)
        named = joined_header(scope["headers"], b"if-none-match")
        tags = Tags() if named is None else read_tags(named, "If-None-Match")
        return cls(read_context(written), text, body, tags, forced, streams)

    def has(self, tag: str) -> bool:
        """Whether the client has this answer already; `*` names no answer to this context."""
        return not self.forced and not self.tags.any and has(self.tags, tag)


class Evaluating:
    """Evaluates flags, and logs the treatment of one that was asked for by itself."""

    def __init__(self, exposures: ExposureLog | None, keeping: StickyAssignments) -> None:
        self._unit = OneUnit(exposures, keeping)
        self._keeping = keeping

    def one(self, flags: ShownFlags, key: str, body: bytes) -> Answer:
        """What one flag evaluates to for the context of a request."""
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

    def all(self, flags: ShownFlags, asked: AllFlags) -> Answer:
        """What all flags evaluate to; none is logged as shown, as a client shows few of them."""
        served = flags.shown.served
        many = MANY if flags.are_all_made else _MANY_NEW
        long = len(flags.nouns) > many or len(asked.body) > SMALL_BYTES
        if served.keeping or long:
            return self._all_slowly(flags, asked, long=long)
        tag = _tag(served, asked.text, asked.streams)
        if asked.has(tag):
            return _unchanged(flags, tag)
        whole = flags.whole()
        if _cost(flags, whole, asked) > ON_LOOP or len(whole.experiments) > MANY:
            return self._all_slowly(flags, asked, long=True)
        return _listed(flags, asked, flags.evaluate_all(asked.context), tag)

    async def _all_slowly(self, flags: ShownFlags, asked: AllFlags, *, long: bool) -> Ready:
        served, context = flags.shown.served, asked.context
        in_thread = self._keeping.in_thread
        whole = await in_thread(flags.whole) if long else flags.whole()
        tag = _tag(served, asked.text, asked.streams)
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
                return _listed(flags, asked, members, tag)
            # What is kept changes without a revision, so the tag is of the answer too.
            own = _tag(served, asked.text, asked.streams, *members)
            return _unchanged(flags, own) if asked.has(own) else _listed(flags, asked, members, own)

        return await in_thread(show) if long else show()


def _cost(flags: ShownFlags, whole: Whole, asked: AllFlags) -> int:
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


def _listed(flags: ShownFlags, asked: AllFlags, members: list[bytes], tag: str) -> Ready:
    revision = flags.shown.served.revision
    ready = flags.shown.ready(
        b'{"flags":[%b],"metadata":{"revision":%d},"eventStreams":[%b]}'
        % (b",".join(members), revision, asked.streams)
    )
    return Ready([*ready.headers, (b"etag", tag.encode())], ready.body)
