"""Answers on their way to a client that may not read them yet.

Most clients send all of a request before they read any of its answer. If answers waited to be read
before more of the request is taken, both sides would wait for each other. So what is not read yet
waits here: a little in memory, more in a file without a name. Only when there is no room for that
either is the client kept waiting.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from collections import deque
from typing import IO, Final

from allotment.server.assign.batch.room import Room
from allotment.server.http.asgi import Message, Send
from allotment.server.sync.executor import Executor

_MEMORY_BYTES: Final = 1 << 20
_PIECE_BYTES: Final = 256 << 10


class Outbox:
    """Sends queued chunks in order from a background task.

    `memory` and `disk` are what all outboxes together may keep there and in files. Nothing is sent,
    not even that an answer begins, before something was put in.
    """

    def __init__(
        self,
        send: Send,
        headers: list[tuple[bytes, bytes]],
        executor: Executor,
        memory: Room,
        disk: Room,
    ) -> None:
        self._send = send
        self._headers = headers
        self._executor = executor
        self._memory = memory
        self._disk = disk
        self._sender: asyncio.Task[None] | None = None
        self._waiting: deque[bytes] = deque()
        self._size = 0  # of what is in memory, the piece on its way included
        self._file: IO[bytes] | None = None
        self._using = threading.Lock()  # it must not be closed under a thread
        self._written = 0  # bytes of it; those that are not read come after what waits in memory
        self._read = 0
        self._writing = False
        self._closed = False
        self._news = asyncio.Event()  # something was put in, or nothing more will be
        self._left = asyncio.Event()  # something has left

    @property
    def begun(self) -> bool:
        """Whether the answer has begun."""
        return self._sender is not None

    async def put(self, piece: bytes) -> None:
        """Take a piece to be sent; returns once there is room for it."""
        if self._sender is None:
            self._sender = asyncio.create_task(self._run())
        self._left.clear()
        while not (self._keep(piece) or await self._store(piece)):
            if not self._waiting and self._read == self._written:
                self._memory.overdraw(len(piece))  # nothing of this answer will make room for it
                self._queue(piece)
                break
            if self._sender.done():
                self._sender.result()  # it can only have failed
            await self._left.wait()
            self._left.clear()
        self._news.set()

    async def finish(self, piece: bytes) -> None:
        """Take the last piece; returns once everything has left, and the answer is at its end."""
        if self._sender is None:
            length = (b"content-length", b"%d" % len(piece))
            await self._send(self._head(length))
            await self._send({"type": "http.response.body", "body": piece})
            return
        if piece:
            await self.put(piece)
        self._closed = True
        self._news.set()
        await self._sender

    async def abandon(self) -> None:
        """Send no more, unless all is sent already."""
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.wait({self._sender})

    def _head(self, *more: tuple[bytes, bytes]) -> Message:
        headers = [*self._headers, *more]
        return {"type": "http.response.start", "status": 200, "headers": headers}

    async def _run(self) -> None:
        """Send what is put in."""
        try:
            await self._send(self._head())
            while not self._closed or self._waiting or self._read < self._written:
                if self._waiting:
                    piece = self._waiting.popleft()
                    held = len(piece)
                elif self._read < self._written:
                    piece, held = await self._load(), 0
                else:
                    self._news.clear()
                    await self._news.wait()
                    continue
                await self._send({"type": "http.response.body", "body": piece, "more_body": True})
                self._size -= held
                self._memory.give(held)
                self._left.set()
            await self._send({"type": "http.response.body", "body": b""})
        finally:
            self._left.set()
            self._memory.give(self._size)
            with self._using:
                if self._file is not None:
                    self._empty()
                    self._file.close()

    def _keep(self, piece: bytes) -> bool:
        """Keep a piece in memory, unless others before it are in the file, or there are many."""
        if self._read < self._written:
            return False
        if self._waiting and self._size + len(piece) > _MEMORY_BYTES:
            return False
        if not self._memory.take(len(piece)):
            return False
        self._queue(piece)
        return True

    def _queue(self, piece: bytes) -> None:
        self._waiting.append(piece)
        self._size += len(piece)

    async def _store(self, piece: bytes) -> bool:
        """Keep a piece in the file; not where there is no room."""
        if not self._disk.take(len(piece)):
            return False
        self._writing = True
        try:
            await self._executor.do(lambda: self._write(piece))
        except OSError:  # the disk is full
            self._disk.give(len(piece))
            return False
        finally:
            self._writing = False
        self._written += len(piece)
        return True

    def _write(self, piece: bytes) -> None:
        with self._using:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # `_run` closes it
            view, place = memoryview(piece), self._written
            while view:
                count = os.pwrite(self._file.fileno(), view, place)
                view, place = view[count:], place + count

    async def _load(self) -> bytes:
        piece = await self._executor.do(self._read_piece)
        self._read += len(piece)
        if self._read == self._written and not self._writing:
            self._empty()
        return piece

    def _read_piece(self) -> bytes:
        with self._using:
            assert self._file is not None, "something was written"
            size = min(_PIECE_BYTES, self._written - self._read)
            return os.pread(self._file.fileno(), size, self._read)

    def _empty(self) -> None:
        """Empty the file: all of it has been read, or is not needed any more."""
        assert self._file is not None
        self._disk.give(self._written)
        self._written = self._read = 0
        os.ftruncate(self._file.fileno(), 0)
