"""A batch from its first byte to its last: it comes in pieces, is assigned and leaves in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Final

from starlette.requests import ClientDisconnect

from allotment.errors import AllotmentError, Overloaded
from allotment.server.assign.batch.course import Course
from allotment.server.assign.batch.outbox import Outbox
from allotment.server.assign.batch.room import Room
from allotment.server.assign.batch.sticky import Look
from allotment.server.assign.reading import read_query
from allotment.server.assign.shown import Shown
from allotment.server.http.asgi import Receive, Scope, Send
from allotment.server.http.media import form_given, form_wanted
from allotment.server.http.requests import header, joined_header
from allotment.server.sticky import StickyAssignments
from allotment.server.sticky.batcher import Found
from allotment.server.sticky.batcher import Wanted as StickyWanted
from allotment.server.sync.executor import Executor
from allotment.server.sync.spaces import Served
from allotment.server.sync.threads import Threads
from allotment.store import StickyKey

# Two threads keep a batch of one client from waiting for the whole batch of another; more would
# only fight for the interpreter.
_THREADS: Final = 2

# What was taken up of requests and cannot be answered yet, and what was answered and not read yet:
# eight of the largest documents.
_MEMORY_BYTES: Final = 512 << 20

# What was answered and not read yet and has no room there, in files.
_DISK_BYTES: Final = 4 << 30

# The store is waited for no longer than a second: this is for a loop that has ended.
_PATIENCE: Final = 60

# What is worked on before others have their turn.
_PIECE_BYTES: Final = 1 << 20


class BrokenOff(AllotmentError):
    """The answer has begun, and cannot be finished: all that is left is to close the connection."""


class Batches:
    """Answers batches, several at a time, in memory that does not grow with them."""

    def __init__(self, keeping: StickyAssignments, threads: Threads) -> None:
        self._keeping = keeping
        self._executor = Executor("batch", _THREADS, threads)
        self._memory = Room(_MEMORY_BYTES)
        self._disk = Room(_DISK_BYTES)

    def close(self) -> None:
        """End the threads; a batch under way is finished first."""
        self._executor.close()

    async def answer(self, scope: Scope, receive: Receive, send: Send, shown: Shown) -> None:
        """Answer one batch, from the revision that is shown however long it takes.

        Raises what is wrong with the request as long as nothing is answered, and BrokenOff later.
        """
        content_type = header(scope["headers"], b"content-type")
        given = form_given(None if content_type is None else content_type.decode("latin-1"))
        wanted = form_wanted(joined_header(scope["headers"], b"accept"), given)
        look = self._looks(shown.served)
        query = read_query(scope)
        # In a thread, as the first one for Arrow loads its library.
        course = await self._executor.do(lambda: Course(shown.served, given, wanted, query, look))
        headers = [(b"content-type", wanted.encode()), *shown.headers[1:]]
        outbox = Outbox(send, headers, self._executor, self._memory, self._disk)
        held = 0
        try:
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                more = message.get("more_body", False)
                pieces = course.feed(message.get("body", b""), last=not more)
                if pieces is not None:
                    await self._put(pieces, outbox, last=not more)
                if not self._memory.take(course.held - held):
                    raise Overloaded("large batches take all the memory that is set aside for them")
                held = course.held
        except ClientDisconnect:
            raise
        except Exception as error:
            if outbox.begun:
                raise BrokenOff(f"the answer to a batch broke off: {error}") from error
            raise
        finally:
            self._memory.give(held)
            await outbox.abandon()

    def _looks(self, served: Served) -> Look:
        """How a thread of ours learns what is kept: it asks on this loop, as single requests do."""
        loop = asyncio.get_running_loop()

        def look(wanted: StickyWanted) -> Mapping[StickyKey, Found]:
            asked = asyncio.run_coroutine_threadsafe(self._keeping.look(served, wanted), loop)
            return asked.result(_PATIENCE)

        return look

    async def _put(self, pieces: Iterator[bytes], outbox: Outbox, *, last: bool) -> None:
        """Put the pieces into the outbox; each is made in a thread."""
        done = False
        while not done:
            piece, done = await self._executor.do(lambda: _some(pieces))
            if done and last:
                await outbox.finish(piece)
            elif piece:
                await outbox.put(piece)


def _some(pieces: Iterator[bytes]) -> tuple[bytes, bool]:
    """The next pieces together, and whether they are the last."""
    some = []
    size = 0
    for piece in pieces:
        some.append(piece)
        size += len(piece)
        if size >= _PIECE_BYTES:
            return b"".join(some), False
    return b"".join(some), True
