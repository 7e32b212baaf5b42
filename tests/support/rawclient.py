"""A client that sends bytes as they are: for requests that no library would make."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

import msgspec

PATIENCE = 15.0


@dataclass(frozen=True)
class Raw:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, object]:
        assert self.headers["content-type"] == "application/problem+json", self.headers
        problem = msgspec.json.decode(self.body, type=dict[str, object])
        assert problem["status"] == self.status
        assert problem["title"]
        assert problem["detail"]
        return problem


@dataclass
class RawClient:
    """One connection."""

    socket: socket.socket
    incoming: BinaryIO

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, *, to_head: bool = False) -> Raw | None:
        """The next answer, or None where the server closed the connection instead."""
        line = self.incoming.readline()
        if not line:
            return None
        headers = {}
        while (header := self.incoming.readline().strip()) != b"":
            name, _, value = header.decode("latin-1").partition(": ")
            headers[name.lower()] = value
        status = int(line.split()[1])
        return Raw(status, headers, b"" if to_head or status == 100 else self._body(headers))

    def ask(self, data: bytes) -> Raw:
        self.send(data)
        answer = self.answer()
        assert answer is not None, "the server closed the connection without a word"
        return answer

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return self.incoming.read(int(headers["content-length"]))
        chunks = []
        while size := int(self.incoming.readline(), 16):
            chunks.append(self.incoming.read(size))
            self.incoming.readline()
        self.incoming.readline()
        return b"".join(chunks)


@contextmanager
def connected(url: str, patience: float = PATIENCE) -> Iterator[RawClient]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    address = (parts.hostname, parts.port or 80)
    with (
        socket.create_connection(address, patience) as opened,
        opened.makefile("rb") as incoming,
    ):
        yield RawClient(opened, incoming)


def get(path: str = "/healthz", *headers: str) -> bytes:
    """The bytes of a GET; a Host is among its headers unless they bring one."""
    lines = [f"GET {path} HTTP/1.1", *headers]
    if not any(header.lower().startswith("host:") for header in headers):
        lines.insert(1, "Host: localhost")
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1")


def post(path: str, body: bytes, *headers: str) -> bytes:
    """The bytes of a POST of JSON."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1") + body
