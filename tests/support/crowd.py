"""Thousands of connections of one thread, each of which sends one request and reads on."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

STREAM = b"GET /v1/stream HTTP/1.1\r\nhost: localhost\r\n\r\n"


class Reader:
    """One connection: what has come on it, when the last of it came, and whether it has ended."""

    def __init__(self, made: socket.socket) -> None:
        self.socket = made
        self.got = bytearray()
        self.at = 0.0
        self.ended = False

    @property
    def status(self) -> int:
        """The status of the answer; 0 while there is none."""
        return int(self.got[9:12]) if len(self.got) > 12 else 0

    @property
    def revisions(self) -> list[int]:
        """The revisions of the events that have come whole."""
        parts = bytes(self.got).split(b"\nid: ")[1:]
        return [int(part.split(b"-")[0]) for part in parts if b"\n" in part]


class Crowd:
    """Opens connections, and reads what comes on any of them."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname, parts.port)
        self._selector = selectors.DefaultSelector()
        self.readers: list[Reader] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        for each in self.readers:
            each.socket.close()
        self._selector.close()

    def open(self, request: bytes = STREAM) -> Reader:
        """One more connection, on which the request is sent."""
        made = socket.create_connection(self._address, 30)
        made.sendall(request)
        made.setblocking(False)
        reader = Reader(made)
        self.readers.append(reader)
        self._selector.register(made, selectors.EVENT_READ, reader)
        return reader

    def read(self, seconds: float) -> None:
        """Read what has come, and wait for the first of it at most so long."""
        for key, _ in self._selector.select(seconds):
            reader: Reader = key.data
            try:
                part = reader.socket.recv(1 << 16)
            except ConnectionError:
                part = b""
            reader.at = time.monotonic()
            reader.got += part
            if not part:
                reader.ended = True
                self._selector.unregister(reader.socket)

    def read_until(self, holds: Callable[[Reader], object], seconds: float = 30.0) -> None:
        """Read until something holds of every connection."""
        deadline = time.monotonic() + seconds
        left = [each for each in self.readers if not holds(each)]
        while left:
            assert time.monotonic() < deadline, f"{len(left)} of {len(self.readers)} did not"
            self.read(0.05)
            left = [each for each in left if not holds(each)]
