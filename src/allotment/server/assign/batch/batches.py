"""Batches over HTTP: a body is received whole, and the answer is made and sent piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeVar

from starlette.requests import ClientDisconnect

from allotment.errors import AllotmentError
from allotment.server.assign.batch.body import Budget, SpooledBody
from allotment.server.assign.batch.options import DISK_BYTES, BatchOptions
from allotment.server.assign.batch.quick import Measured
from allotment.server.assign.shown import Shown
from allotment.server.http.asgi import Receive, Scope, Send
from allotment.server.http.media import MediaForm
from allotment.server.sticky.assignments import StickyAssignments
from allotment.server.sticky.batcher import Found, Wanted
from allotment.server.sync.executor import Executor
from allotment.server.sync.spaces import Served
from allotment.server.sync.threads import Threads
from allotment.server.turns import Turns
from allotment.store import StickyKey

if TYPE_CHECKING:  # see `_load`
    from allotment.server.assign.batch.columns import Look, Piece

T = TypeVar("T")

# Two threads keep a batch of one client from waiting for the whole batch of another; more would
# only fight for the interpreter.
_THREADS: Final = 2

# Of all batches together: small bodies, what is being read and what is made of it, and pieces of
# answers that are not sent yet.
_MEMORY_BYTES: Final = 512 << 20

# So many quick ones are answered before the loop looks at the network again: some 3 ms at the most.
_AT_ONCE: Final = 3

# The store is waited for no longer than a second: this is for a loop that has ended.
_PATIENCE: Final = 60

# What is made of an answer before other batches have their turn.
_PIECE_BYTES: Final = 128 << 10


class BrokenOff(AllotmentError):
    """The answer has begun, and cannot be finished: all that is left is to close the connection."""


class Batches:
    """Answers batches, several at a time, in memory that does not grow with them."""

    def __init__(self, keeping: StickyAssignments, threads: Threads) -> None:
        self._keeping = keeping
        self._executor = Executor("batch", _THREADS, threads)
        self._memory = Budget(_MEMORY_BYTES, "memory")
        self._loaded: set[tuple[MediaForm, MediaForm]] = set()
        self._turns = Turns(_AT_ONCE)
        self._disk = Budget(DISK_BYTES, "disk space")

    def close(self) -> None:
        """End the threads; a piece under way is finished first."""
        self._executor.close()

    async def answer(self, scope: Scope, receive: Receive, send: Send, shown: Shown) -> None:
        """Answer one batch, from the revision that is shown however long it takes.

        Raises what is wrong with the request as long as nothing is answered, and BrokenOff later.
        """
        options = BatchOptions.of(scope)
        body = SpooledBody(self._memory, self._disk, self._in_thread)
        try:
            is_json = options.given is MediaForm.JSON
            most = options.limits.size
            await body.receive(receive, most, options.too_large, is_json=is_json)
            await self._load(options)
            from allotment.server.assign.batch import pipeline  # noqa: PLC0415  # see `_load`

            whole = body.in_memory
            ids = None if whole is None else pipeline.read_ids(options, whole)
            if is_json and ids is None and whole is not None:
                body.measure(whole.getbuffer())
            values = body.shape.values if ids is None else ids.units.rows
            with self._memory.taken(options.held(body.size, values)):
                look = self._looks(shown.served)
                pieces = pipeline.answers(shown.served, options, body.file, look, ids)
                headers = [(b"content-type", options.wanted.encode()), *shown.headers[1:]]
                measured = Measured.of(shown, options, ids)
                await self._send(pieces, headers, receive, send, measured)
        finally:
            await body.close()

    async def _send(
        self,
        pieces: Iterator[Piece],
        headers: list[tuple[bytes, bytes]],
        receive: Receive,
        send: Send,
        measured: Measured | None,
    ) -> None:
        """Send the pieces. Each is made when the client has taken most of those before it.

        An answer that is `measured` has one piece.
        """
        gone: asyncio.Future[Any] | None = None
        begun = last = False
        try:
            while not last:
                piece, last = await self._made(lambda: _next(pieces), measured)
                if gone is not None and gone.done():
                    raise ClientDisconnect
                if gone is None and not last:  # there is no more to receive
                    gone = asyncio.ensure_future(receive())
                if not begun:
                    if last:
                        headers = [*headers, (b"content-length", b"%d" % len(piece))]
                    await send({"type": "http.response.start", "status": 200, "headers": headers})
                    begun = True
                with self._memory.taken(len(piece), overdraw=True):
                    await send({"type": "http.response.body", "body": piece, "more_body": not last})
                    piece = b""
        except ClientDisconnect:
            raise
        except Exception as error:
            if begun:
                raise BrokenOff(f"the answer to a batch broke off: {error}") from error
            raise
        finally:
            if gone is not None:
                gone.cancel()

    async def _made(self, work: Callable[[], T], measured: Measured | None) -> T:
        """What `work` gives: done on the loop where it is known to be quick, else in a thread."""
        if measured is None:
            return await self._in_thread(work)
        if not measured.is_quick:
            return await self._in_thread(lambda: measured.make(work))
        await self._turns.mine()
        return measured.make(work)

    async def _load(self, options: BatchOptions) -> None:
        """Import what reads and writes these forms, in a thread, before the first such batch."""
        forms = options.given, options.wanted
        if forms not in self._loaded:
            await self._in_thread(lambda: _import(forms))
            self._loaded.add(forms)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """What `work` gives, done in a thread.

        A batch that is cancelled waits for its thread, which may be using its file. What has not
        begun then is not done.
        """
        cancelled = False

        def begun() -> T:
            if cancelled:
                raise ClientDisconnect
            return work()

        job = asyncio.ensure_future(self._executor.do(begun))
        try:
            return await asyncio.shield(job)
        except asyncio.CancelledError:
            cancelled = True
            with suppress(Exception):
                await job
            raise

    def _looks(self, served: Served) -> Look:
        """How a thread learns what is kept: it asks on the event loop, as single requests do."""
        loop = asyncio.get_running_loop()

        def look(wanted: Wanted) -> Mapping[StickyKey, Found]:
            asked = asyncio.run_coroutine_threadsafe(self._keeping.look(served, wanted), loop)
            return asked.result(_PATIENCE)

        return look


def _import(forms: Collection[MediaForm]) -> None:
    """Import what reads and writes batches of some forms: numpy and pyarrow come with it."""
    import_module("allotment.server.assign.batch.pipeline")
    if MediaForm.ARROW in forms:
        import_module("allotment.server.assign.batch.arrow_reader")
        import_module("allotment.server.assign.batch.arrow_writer")


def _next(pieces: Iterator[Piece]) -> Piece:
    """The next pieces together, and whether they are the last."""
    some = []
    size = 0
    for piece, is_last in pieces:
        some.append(piece)
        size += len(piece)
        if is_last or size >= _PIECE_BYTES:
            return piece if len(some) == 1 else b"".join(some), is_last
    raise AssertionError("a piece says that it is the last")
