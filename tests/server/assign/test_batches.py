"""An answer is made as fast as its client reads it, and its work ends with the client."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from allotment.server.assign.batch import batches as module
from allotment.server.assign.batch.batches import BrokenOff
from nouns import catalog, experiment, iteration
from server.assign.asking import Paths

NDJSON = b"application/x-ndjson"
LINES = b"".join(b'{"unit":"unit-%d"}\n' % number for number in range(200_000))


class Client:
    """Sends a body, and reads so many pieces of the answer; then it stops until it leaves."""

    def __init__(self, body: bytes, pieces: int = 1 << 60) -> None:
        self._chunks = [body[at : at + 65_536] for at in range(0, len(body), 65_536)]
        self._pieces = pieces
        self.gone = asyncio.Event()
        self.read: list[bytes] = []
        self.status = 0
        self.waits = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if self._chunks:
            chunk = self._chunks.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(self._chunks)}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        if len(self.read) == self._pieces:
            self.waits.set()
            await self.gone.wait()
        self.read.append(message["body"])


class Watched:
    """The paths, and how many pieces they have made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.paths = Paths(catalog(experiment("e", iteration())))
        self.made = 0
        made = module._next

        def count(pieces: Iterator[bytes]) -> tuple[bytes, bool]:
            self.made += 1
            return made(pieces)

        monkeypatch.setattr(module, "_next", count)
        self.batches: Any = self.paths._app._batches
        self.before = self._left
        self._open = open_files()

    @property
    def _left(self) -> tuple[int, int]:
        return self.batches._memory.left, self.batches._disk.left

    def released(self) -> bool:
        return self._left == self.before and open_files() == self._open

    async def ask(self, client: Client) -> None:
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/assign/batch",
            "query_string": b"",
            "headers": [(b"content-type", NDJSON)],
            "client": ("127.0.0.1", 1),
        }
        await self.paths._app(scope, client.receive, client.send)


def open_files() -> set[str]:
    """Files that are open and have no name."""
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            name = str(each.readlink())
            if "(deleted)" in name and tempfile.gettempdir() in name:
                found.add(name)
    return found


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    found = Watched(monkeypatch)
    yield found
    found.paths.close()


def run(work: Callable[[], Any]) -> None:
    asyncio.run(asyncio.wait_for(work(), 60))


def test_no_more_is_made_than_a_client_reads(watched: Watched) -> None:
    async def work() -> None:
        client = Client(LINES, pieces=3)
        task = asyncio.ensure_future(watched.ask(client))
        await client.waits.wait()
        await asyncio.sleep(0.1)
        assert watched.made == 4
        assert not watched.released()
        assert watched.before[0] - watched._left[0] < 5 << 20
        client._pieces = 1 << 60
        client.gone.set()
        await task

    run(work)
    assert watched.released()


def test_a_client_that_leaves_ends_the_work(watched: Watched) -> None:
    async def work() -> None:
        client = Client(LINES, pieces=3)
        task = asyncio.ensure_future(watched.ask(client))
        await client.waits.wait()
        client.gone.set()
        await task
        assert watched.made <= 5
        assert watched.released()

    run(work)


def test_a_request_that_is_cancelled_ends_when_its_thread_has(watched: Watched) -> None:
    async def work() -> None:
        for wait in (0.0, 0.001, 0.01, 0.05, 0.1):
            # It reads so little that the answer is never at its end by then.
            task = asyncio.ensure_future(watched.ask(Client(LINES, pieces=3)))
            await asyncio.sleep(wait)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert watched.released()

    run(work)


def test_all_of_the_answer_comes_in_order(watched: Watched) -> None:
    client = None

    async def work() -> None:
        nonlocal client
        client = Client(LINES)
        await watched.ask(client)

    run(work)
    assert client is not None
    assert client.status == 200
    units = [line.split(b'"')[3] for line in b"".join(client.read).splitlines()]
    assert units == [b"unit-%d" % number for number in range(200_000)]
    assert watched.released()


def test_an_answer_of_one_piece_says_how_long_it_is(watched: Watched) -> None:
    """Also the largest one, of as many units as are answered at a time."""
    forms = ("application/json", "application/x-ndjson", "application/vnd.apache.arrow.stream")
    units = [f"unit-{number}" for number in range(1 << 15)]
    for form in forms:
        for some, is_one in ((units[:1], True), (units, True), ([*units, "u"], False)):
            answer = watched.paths.ask("POST", "/v1/assign/batch", {"units": some}, accept=form)
            assert (len(answer.pieces) == 1) is is_one
            assert (answer.headers.get("content-length") == str(len(answer.body))) is is_one


def test_a_client_that_cannot_be_sent_to_breaks_the_answer_off(watched: Watched) -> None:
    async def work() -> None:
        client = Client(LINES)

        async def broken(message: Any) -> None:
            if message["type"] == "http.response.body":
                raise RuntimeError("gone")

        client.send = broken  # type: ignore[method-assign]
        with pytest.raises(BrokenOff, match="gone"):
            await watched.ask(client)

    run(work)
    assert watched.released()
