"""What each open stream is sent and when, whatever its reader does: without a network."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from allotment.change.commands import Create, Rename
from allotment.errors import Overloaded, Unauthorized
from allotment.server import streams as module
from allotment.server.auth.access import Access
from allotment.server.http.asgi import Message
from allotment.server.streams import Followed, Stream, Streams
from allotment.server.sync.node import Node
from allotment.store import Head
from nouns import FLAG
from server.nodes import SPACE, until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def streams(node: Node) -> Streams:
    await change(node, Create(FLAG))
    return Streams(node, 5_000)


async def change(node: Node, command: Any) -> None:
    await node.write(SPACE, lambda _stored: [command], dialect="test", who="test")


def says(followed: Followed, since: Head | None) -> bytes:
    touched = followed.touched(since)
    return f"{followed.head.revision} {touched and sorted(touched)}".encode()


class Reader:
    """A client: what it was sent. It takes nothing while it is `busy`."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.busy = asyncio.Event()
        self.busy.set()

    async def send(self, message: Message) -> None:
        await self.busy.wait()
        self.got.append(message["body"])


@asynccontextmanager
async def open_stream(
    streams: Streams, reader: Reader, holds: Callable[[Access], object] = lambda _access: None
) -> AsyncIterator[Stream]:
    stream = streams.new(SPACE, None, holds, says)
    task = asyncio.create_task(streams.run(stream, reader.send))
    try:
        yield stream
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_slow_reader_gets_one_event_of_all_that_it_missed(
    node: Node, streams: Streams
) -> None:
    slow, quick = Reader(), Reader()
    async with open_stream(streams, slow), open_stream(streams, quick):
        await until(lambda: len(slow.got) == len(quick.got) == 2)
        slow.busy.clear()
        for revision in range(2, 22):
            await change(node, Rename("flag", "button", f"name {revision}"))
            await until(lambda: quick.got[-1].startswith(b"%d " % revision))  # noqa: B023
        slow.busy.set()
        await until(lambda: slow.got[-1].startswith(b"21 "))
        assert len(quick.got) == 22
        # The one that it was sending when it stalled, and the newest with all that was touched.
        assert slow.got[1:] == [b"1 None", b"2 [('flag', 'button')]", b"21 [('flag', 'button')]"]


async def test_a_stream_that_has_nothing_to_say_beats(
    node: Node, streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.3)
    reader = Reader()
    async with open_stream(streams, reader):
        await until(lambda: reader.got.count(b": ping\n\n") == 3)
        await change(node, Rename("flag", "button", "another"))
        await until(lambda: reader.got[-1].startswith(b"2 "))
    assert node.counters.events_sent == 2


async def test_a_stream_ends_soon_after_its_token_has_expired(
    node: Node, streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.3)
    reader, ends = Reader(), time.monotonic() + 0.5

    def holds(_access: Access) -> None:
        if time.monotonic() > ends:
            raise Unauthorized("this token is revoked or has expired")

    async with open_stream(streams, reader, holds):
        await until(lambda: reader.got[-1:] == [b""], 5)
    assert node.counters.streams_ended == {"token": 1}


async def test_a_drain_waits_for_no_slow_reader(node: Node, streams: Streams) -> None:
    slow, cut = Reader(), asyncio.Event()
    async with open_stream(streams, slow) as stream:
        stream.cut = cut.set
        await until(lambda: len(slow.got) == 2)
        slow.busy.clear()
        await change(node, Rename("flag", "button", "another"))
        await until(lambda: not stream.waits)
        assert not cut.is_set()
        node.draining = True
        await asyncio.wait_for(cut.wait(), 5)
        with pytest.raises(Overloaded):
            streams.new(SPACE, None, lambda _access: None, says)
    assert node.counters.streams_ended == {"drain": 1}


async def test_how_a_stream_ended_is_counted(node: Node, streams: Streams) -> None:
    gone, slow = Reader(), Reader()
    async with open_stream(streams, gone):
        await until(lambda: len(gone.got) == 2)
    async with open_stream(streams, slow) as stream:
        await until(lambda: len(slow.got) == 2)
        slow.busy.clear()
        await change(node, Rename("flag", "button", "another"))
        await until(lambda: not stream.waits)
    assert node.counters.streams_ended == {"client": 1, "slow": 1}
    assert (streams.count, node.counters.streams_opened) == (0, 2)


async def test_only_so_many_are_opened(node: Node) -> None:
    streams, reader = Streams(node, 1), Reader()
    async with open_stream(streams, reader):
        await until(lambda: reader.got)
        with pytest.raises(Overloaded, match="/v1/changes"):
            streams.new(SPACE, None, lambda _access: None, says)
    streams.new(SPACE, None, lambda _access: None, says)


async def test_a_change_wakes_thousands_without_holding_the_loop(
    node: Node, streams: Streams
) -> None:
    """And one made meanwhile is told too. Each takes 50 us here, as over a network."""
    told = [0] * 2_000

    async def send_to(number: int, message: Message) -> None:
        began = time.thread_time()
        while time.thread_time() - began < 50e-6:
            pass
        told[number] = int(message["body"].split(b" ")[0]) if message["body"][:1].isdigit() else 0

    tasks = [
        asyncio.create_task(
            streams.run(
                streams.new(SPACE, None, lambda _access: None, says),
                lambda message, number=number: send_to(number, message),
            )
        )
        for number in range(len(told))
    ]
    await until(lambda: set(told) == {1})
    slices = []

    async def look() -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            slices.append(time.thread_time() - began)

    looking = asyncio.create_task(look())
    for revision in (2, 3):
        await change(node, Rename("flag", "button", f"name {revision}"))
    await until(lambda: set(told) == {3})
    looking.cancel()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # All at once would take a tenth of a second.
    assert max(slices) < 0.02
