"""uvloop alone: a constant in one write for whatever comes. Its argument is the port.

This is what a request costs before any Python of a server runs: two system calls, and the loop.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Final

import uvloop

from benchmarks.http.constant import ANSWER

# As long as a head of ours.
HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ndate: Mon, 30 Nov 2026 00:00:00 GMT\r\ncontent-type: application/json\r\n"
    b"x-content-type-options: nosniff\r\nallotment-revision: 2\r\ncontent-length: %d\r\n"
    b"x-request-id: 0000000000000001\r\n\r\n"
) % len(ANSWER)


class Constant(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        self._write = transport.write

    def data_received(self, _data: bytes) -> None:
        self._write(HEAD + ANSWER)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Constant, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
