"""The open event streams of a process: what each is sent, and when they all are.

A stream keeps no queue. It remembers the revision that it was sent last; when it is woken, or its
reader has taken what was sent, it compares that with what is served now. So a slow reader misses
revisions and never piles any up.

A change wakes all streams of its space, some at a time. After each slice the loop does other work
for as long as the slice took: what is asked meanwhile waits for one slice, and never for all.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from typing import Final

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from allotment.change.kinds import KINDS, nouns_of
from allotment.errors import Forbidden, Overloaded, Unauthorized
from allotment.model.catalog import Catalog
from allotment.server.auth.access import Access
from allotment.server.http.asgi import Message, Send
from allotment.server.http.etags import catalog_version
from allotment.server.sync.node import Node
from allotment.server.sync.spaces import Served
from allotment.store import Head

HEARTBEAT_SECONDS: Final = 15.0

# How often all streams are looked at, whether there is news or not, in seconds.
_BEAT_SECONDS: Final = 0.25

# How many are woken before the loop does something else: some 2 ms.
_SLICE: Final = 32

# After how long a client comes back whose stream has broken, in milliseconds: each another, as all
# of them break at once where a server ends.
_RETRY: Final = (1_000, 10_000)

# Of more nouns that were touched the names are not sent, and so many steps are remembered.
_NAMES_MAX: Final = 100
_STEPS_MAX: Final = 64

Names = frozenset[tuple[str, str]]
Holds = Callable[[Access], object]
Says = Callable[["Followed", Head | None], bytes]


class Stream:
    """One open stream.

    head   the revision that its client knows; None for none
    holds  raises once the client may read no more
    says   makes an event of what is served, given what the client knows
    due    when its next heartbeat is
    beats  whether that is now
    waits  whether it waits for news, and not for its reader
    cut    breaks its connection off
    """

    __slots__ = (
        *("_news", "access", "beats", "cut", "due", "head"),
        *("holds", "says", "space", "waits"),
    )

    def __init__(self, space: str, head: Head | None, holds: Holds, says: Says) -> None:
        self.space = space
        self.head = head
        self.holds = holds
        self.says = says
        self.access: object = None
        self.due = 0.0
        self.beats = False
        self.waits = False
        self.cut: Callable[[], None] = _no_connection
        self._news: asyncio.Future[None] | None = None

    def news(self) -> asyncio.Future[None]:
        """What is done when there may be something to send."""
        self._news = asyncio.get_running_loop().create_future()
        return self._news

    def wake(self) -> None:
        """Have it look what is new, unless its reader is waited for: then it looks anyhow."""
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


def _no_connection() -> None:
    """For an application that is called without one."""


class Followed:
    """A space with open streams: what is sent of it, each made once."""

    def __init__(self, served: Served) -> None:
        self.streams: dict[Stream, None] = {}
        self.served = served
        self.head = served.stored.head
        self._steps: deque[tuple[Head, Names | None]] = deque(maxlen=_STEPS_MAX)
        self._events: dict[tuple[Says, Head | None], bytes] = {}

    def take_in(self, served: Served) -> None:
        """Send what is served now from here on."""
        if served is self.served:
            return
        names = _differing(self.served.stored.catalog, served.stored.catalog)
        self._steps.append((self.head, names))
        self.served, self.head = served, served.stored.head
        self._events = {}

    def event(self, says: Says, since: Head | None) -> bytes:
        """What is said to a client that knows `since`."""
        event = self._events.get((says, since))
        if event is None:
            if len(self._events) > _STEPS_MAX:
                self._events.clear()
            event = self._events[says, since] = says(self, since)
        return event

    def touched(self, since: Head | None) -> Names | None:
        """The nouns that differ from those of an earlier revision; None where that is not known.

        It is a hint: what came and went again between two looks at the store is not among them.
        """
        touched: Names = frozenset()
        for head, names in reversed(self._steps):
            if names is None:
                return None
            touched |= names
            if head == since:
                return touched if len(touched) <= _NAMES_MAX else None
        return None


class Streams:
    """All open streams of a process; there are at most `most` of them."""

    def __init__(self, node: Node, most: int) -> None:
        self.count = 0
        self._counters = node.counters
        self._node = node
        self._most = most
        self._spaces: dict[str, Followed] = {}
        self._due: deque[Stream] = deque()
        self._waking: deque[Stream] = deque()
        self._slicing = False
        self._again = False
        self._access: object = None  # as it was at the last beat
        self._beats = False
        self._loop: asyncio.AbstractEventLoop | None = None
        node.on_publish(self._published)

    def new(self, space: str, seen: Head | None, holds: Holds, says: Says) -> Stream:
        """A stream for a client that knows a revision; it is open once it runs.

        Raises Overloaded where no more may be opened.
        """
        if self._node.draining:
            raise Overloaded("this server stops; ask another one")
        if self.count >= self._most:
            raise Overloaded(f"{self._most:,} streams are open already; ask /v1/changes instead")
        return Stream(space, seen, holds, says)

    async def run(self, stream: Stream, send: Send, first: str | None = None) -> None:
        """Send what there is to be sent until something ends the stream.

        The first thing is when to come back and, where the client knows a revision, its id, with
        `first` as its data. Then it is each revision, and a heartbeat now and then.
        """
        why = "slow"  # its reader did not take what was sent
        self._open(stream)
        try:
            retry = random.randint(*_RETRY)  # it only spreads clients in time
            known = None if stream.head is None else catalog_version(stream.head)
            await send(_part(format_sse_event(id=known, retry=retry, data_str=first)))
            while not (ended := self._why_ended(stream)):
                part = self._next(stream)
                if part is not None:
                    await send(_part(part))
                    continue
                stream.waits, why = True, "client"
                await stream.news()
                stream.waits, why = False, "slow"
            why = ended
            await send(_part(b"", more=False))
        finally:
            self._close(stream, self._why_ended(stream) or why)

    def _next(self, stream: Stream) -> bytes | None:
        """What is to be sent now; None for nothing."""
        followed = self._spaces[stream.space]
        followed.take_in(self._node.spaces[stream.space])
        known, stream.head = stream.head, followed.head
        if known != followed.head:
            self._counters.events_sent += 1
            return followed.event(stream.says, known)
        if stream.beats:
            stream.beats = False
            return KEEPALIVE_COMMENT
        return None

    def _open(self, stream: Stream) -> None:
        if not self._beats:
            self._beats = True
            self._loop = asyncio.get_running_loop()
            self._loop.call_later(_BEAT_SECONDS, self._beat)
        followed = self._spaces.get(stream.space)
        if followed is None:
            followed = self._spaces[stream.space] = Followed(self._node.served(stream.space))
        followed.streams[stream] = None
        self.count += 1
        self._counters.streams_opened += 1
        self._heartbeat_later(stream)

    def _close(self, stream: Stream, why: str) -> None:
        self._counters.streams_ended[why] += 1
        self.count -= 1
        followed = self._spaces[stream.space]
        del followed.streams[stream]
        if not followed.streams:
            del self._spaces[stream.space]

    def _why_ended(self, stream: Stream) -> str:
        """Why a stream has to end; "" while it may go on."""
        node = self._node
        if node.draining:
            return "drain"
        if stream.space not in node.spaces:
            return "space"
        access = node.access
        if access is not stream.access or stream.beats:
            stream.access = access
            try:
                if access.known:
                    stream.holds(access)
            except (Unauthorized, Forbidden):
                return "token"
        return ""

    def _published(self) -> None:
        """Something was published; it may be a thread that says so."""
        if self._loop is not None and self.count:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._look)

    def _look(self) -> None:
        """Wake the streams of spaces with news, after those that are being woken."""
        if self._slicing:
            self._again = True
            return
        news: list[Stream] = []
        for space, followed in self._spaces.items():
            if space in self._node.spaces:
                followed.take_in(self._node.spaces[space])
            news += [each for each in followed.streams if each.head is not followed.head]
        self._wake(news)

    def _wake(self, streams: list[Stream]) -> None:
        self._waking += streams
        if self._waking and not self._slicing:
            self._slicing = True
            self._slice()

    def _slice(self) -> None:
        """Wake some."""
        for _ in range(min(_SLICE, len(self._waking))):
            stream = self._waking.popleft()
            if stream.waits:
                stream.wake()
            elif self._is_open(stream) and self._why_ended(stream):
                stream.cut()  # it would end only once its reader takes what was sent
        asyncio.get_running_loop().call_soon(self._rest, time.monotonic())

    def _rest(self, begun: float) -> None:
        """Those that were woken have sent; leave the loop to others for as long as that took."""
        if self._waking:
            took = time.monotonic() - begun
            asyncio.get_running_loop().call_later(took, self._slice)
            return
        self._slicing = False
        if self._again:
            self._again = False
            self._look()

    def _beat(self) -> None:
        """Wake those whose heartbeat is due, and all where streams may have to end."""
        self._beats = self.count > 0
        if not self._beats:
            self._due.clear()
            return
        asyncio.get_running_loop().call_later(_BEAT_SECONDS, self._beat)
        now = time.monotonic()
        due: list[Stream] = []
        while self._due and self._due[0].due <= now:
            stream = self._due.popleft()
            if self._is_open(stream):
                stream.beats = True
                due.append(stream)
                self._heartbeat_later(stream)
        if not self._slicing and (self._node.draining or self._node.access is not self._access):
            self._access = self._node.access
            due = [each for one in self._spaces.values() for each in one.streams]
        self._wake(due)

    def _is_open(self, stream: Stream) -> bool:
        followed = self._spaces.get(stream.space)
        return followed is not None and stream in followed.streams

    def _heartbeat_later(self, stream: Stream) -> None:
        stream.due = time.monotonic() + HEARTBEAT_SECONDS
        self._due.append(stream)


def _part(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


def _differing(old: Catalog, new: Catalog) -> Names | None:
    """The nouns that differ, by kind and key; None where they are many."""
    pairs = (
        (kind, key)
        for kind in KINDS
        for key, _, _ in nouns_of(old, kind).differing(nouns_of(new, kind))
    )
    names = frozenset(islice(pairs, _NAMES_MAX + 1))
    return names if len(names) <= _NAMES_MAX else None
