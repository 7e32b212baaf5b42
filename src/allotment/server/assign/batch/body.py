"""The body of a batch while it comes: a little in memory, the rest in a file without a name.

It is received whole before it is read. So no thread waits for a client, and a client may send all
of it before it reads any of the answer, as most do.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

from starlette.requests import ClientDisconnect

from allotment.errors import Overloaded, TooLarge
from allotment.kernel.json_shape import JsonShape
from allotment.server.http.asgi import Receive
from allotment.server.http.requests import check_nesting

# A smaller body stays in memory; a larger one is written in pieces of this size.
_PIECE_BYTES: Final = 1 << 20

# Does something in a thread.
InThread = Callable[[Callable[[], Any]], Awaitable[Any]]


class Budget:
    """Bytes that all batches of a process share; `left` is below 0 while it is overdrawn."""

    def __init__(self, size: int, place: str) -> None:
        self.left = size
        self._place = place

    def take(self, size: int) -> None:
        """Take so many bytes; raises Overloaded where they are not there."""
        if size > max(0, self.left):
            raise Overloaded(f"other batches take all the {self._place} that is set aside for them")
        self.left -= size

    @contextmanager
    def taken(self, size: int, *, overdraw: bool = False) -> Iterator[None]:
        """Take so many bytes for a while; with `overdraw` whether or not they are there."""
        if overdraw:
            self.left -= size
        else:
            self.take(size)
        try:
            yield
        finally:
            self.left += size


class SpooledBody:
    """One body.

    file   to read it from, once it is whole
    size   its bytes
    shape  what it holds if it is one JSON text, as far as it was measured
    """

    def __init__(self, memory: Budget, disk: Budget, in_thread: InThread) -> None:
        self.file: IO[bytes] = io.BytesIO()
        self.size = 0
        self.shape = JsonShape()
        self._memory = memory
        self._disk = disk
        self._in_thread = in_thread
        self._waiting = io.BytesIO()  # what is not in the file yet
        self._held = 0  # bytes of the budget of memory
        self._stored = 0  # bytes of the budget of the disk

    async def receive(
        self, receive: Receive, most: int, too_large: str, *, is_json: bool = False
    ) -> None:
        """Receive all of it; raises TooLarge for more than `most` bytes, saying `too_large`.

        One JSON text, `is_json`, is measured once it does not stay in memory.
        """
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunk: bytes = message.get("body", b"")
            more = message.get("more_body", False)
            self.size += len(chunk)
            if self.size > most:
                raise TooLarge(too_large)
            self._memory.take(len(chunk))
            self._held += len(chunk)
            self._waiting.write(chunk)
            if self._waiting.tell() > _PIECE_BYTES:
                await self._store(is_json)
        if self._stored:
            await self._store(is_json)
            await self._in_thread(lambda: self.file.seek(0))
        else:
            self.file = io.BytesIO(self._waiting.getvalue())  # which is not copied
            self._waiting.close()

    @property
    def in_memory(self) -> io.BytesIO | None:
        """The file, once it is whole, if that is in memory."""
        return self.file if isinstance(self.file, io.BytesIO) else None

    def measure(self, text: bytes | memoryview) -> None:
        """Measure a part of one JSON text, which may nest no deeper than any other body."""
        self.shape.feed(text)
        check_nesting(self.shape)

    async def _store(self, is_json: bool) -> None:
        """Move what waits in memory to the file."""
        waiting, self._waiting = self._waiting.getbuffer(), io.BytesIO()
        if is_json:
            self.measure(waiting)
        self._disk.take(len(waiting))
        self._stored += len(waiting)
        await self._in_thread(lambda: self._write(waiting))
        self._memory.left += self._held
        self._held = 0

    def _write(self, waiting: memoryview) -> None:
        try:
            if isinstance(self.file, io.BytesIO):
                self.file = tempfile.TemporaryFile()  # noqa: SIM115  # `close` closes it
            self.file.write(waiting)
            self.file.flush()
        except OSError as error:
            raise Overloaded(f"the body cannot be stored on the disk: {error.strerror}") from None

    async def close(self) -> None:
        """Delete it, and give back what it took."""
        try:
            if self._stored:
                await self._in_thread(self.file.close)  # takes a while for gigabytes
        finally:
            self._disk.left += self._stored
            self._memory.left += self._held
