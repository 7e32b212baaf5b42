"""Answers wait for their reader in bounded memory, then on the disk, and leave in order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Any

import pytest

from allotment.server.assign.batch import outbox as module
from allotment.server.assign.batch.outbox import Outbox
from allotment.server.assign.batch.room import Room
from allotment.server.counters import Counters
from allotment.server.sync.executor import Executor
from allotment.server.sync.threads import Threads

PLENTY = 1 << 40


class Reader:
    """A client that reads when it is told to, and then at once."""

    def __init__(self) -> None:
        self.reads = asyncio.Event()
        self.messages: list[Mapping[str, Any]] = []

    async def __call__(self, message: Mapping[str, Any]) -> None:
        if message["type"] != "http.response.start":
            await self.reads.wait()
        self.messages.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.messages[1:])


def box(reader: Any, disk: Room, memory: Room | None = None) -> Outbox:
    executor = Executor("batch", 2, Threads(Counters()))
    return Outbox(reader, [(b"a", b"b")], executor, memory or Room(PLENTY), disk)


def test_all_is_sent_in_order_however_fast_it_is_read() -> None:
    async def run(seed: int) -> None:
        chance = random.Random(seed)
        reader, disk = Reader(), Room(PLENTY)
        outbox = box(reader, disk)
        pieces = [chance.randbytes(chance.choice((1, 1_000, 400_000))) for _ in range(60)]
        for piece in pieces:
            (reader.reads.set, reader.reads.clear, lambda: None)[chance.randrange(3)]()
            await outbox.put(piece)
            await asyncio.sleep(chance.choice((0, 0, 0.001)))
        reader.reads.set()
        await outbox.finish(b"")
        await outbox.abandon()
        assert reader.body == b"".join(pieces)
        assert reader.messages[0]["type"] == "http.response.start"
        assert [each["more_body"] for each in reader.messages[1:-1]] == [True] * (
            len(reader.messages) - 2
        )
        assert "more_body" not in reader.messages[-1]
        assert disk.left == PLENTY

    for seed in range(20):
        asyncio.run(run(seed))


def test_whoever_puts_waits_once_there_is_no_room() -> None:
    async def run() -> None:
        reader, disk = Reader(), Room(5 << 20)
        outbox = box(reader, disk)
        pieces = [bytes([number]) * (1 << 20) for number in range(12)]
        done = 0

        async def put() -> None:
            nonlocal done
            for piece in pieces:
                await outbox.put(piece)
                done += 1

        putting = asyncio.create_task(put())
        await asyncio.sleep(0.3)
        # One is on its way, five are on the disk.
        assert done == 6
        assert disk.left == 0
        reader.reads.set()
        await putting
        await outbox.finish(b"")
        assert reader.body == b"".join(pieces)
        assert disk.left == 5 << 20

    asyncio.run(run())


def test_a_full_disk_makes_whoever_puts_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "pwrite", full)

    async def run() -> None:
        reader, disk = Reader(), Room(PLENTY)
        outbox = box(reader, disk)
        await outbox.put(b"x" * (1 << 20))
        await asyncio.sleep(0.01)  # it is on its way
        await outbox.put(b"y" * (1 << 20))
        third = asyncio.create_task(outbox.put(b"z"))
        await asyncio.sleep(0.1)
        assert not third.done()
        reader.reads.set()
        await third
        await outbox.finish(b"")
        assert reader.body == b"x" * (1 << 20) + b"y" * (1 << 20) + b"z"
        assert disk.left == PLENTY

    asyncio.run(run())


def test_abandoned_answers_give_back_the_disk() -> None:
    async def run() -> None:
        reader, disk = Reader(), Room(PLENTY)
        outbox = box(reader, disk)
        for _ in range(10):
            await outbox.put(b"x" * (1 << 20))
        assert disk.left < PLENTY
        await outbox.abandon()
        assert disk.left == PLENTY

    asyncio.run(run())


def test_a_client_that_cannot_be_sent_to_ends_the_putting() -> None:
    async def broken(_: object) -> None:
        raise RuntimeError("gone")

    async def run() -> None:
        outbox = box(broken, Room(0))
        await outbox.put(b"x" * (1 << 20))
        with pytest.raises(RuntimeError, match="gone"):
            await outbox.put(b"y" * (1 << 20))
        await outbox.abandon()

    asyncio.run(run())


def test_what_waits_in_memory_is_counted_over_all_answers_and_given_back() -> None:
    """Also the piece on its way, which a client that reads nothing holds."""

    async def run() -> None:
        memory, disk = Room(5 << 20), Room(PLENTY)
        readers = [Reader() for _ in range(8)]
        boxes = [box(reader, disk, memory) for reader in readers]
        for each in boxes:
            await each.put(b"x" * (1 << 20))
        await asyncio.sleep(0.01)
        assert memory.left == 0
        assert PLENTY - disk.left == 3 << 20
        for each in boxes[:2]:
            await each.abandon()
        assert memory.left == 2 << 20
        for reader in readers:
            reader.reads.set()
        for each in boxes[2:]:
            await each.finish(b"y")
        assert {reader.body for reader in readers[2:]} == {b"x" * (1 << 20) + b"y"}
        assert (memory.left, disk.left) == (5 << 20, PLENTY)

    asyncio.run(run())


def test_an_answer_goes_on_where_others_have_taken_all_the_room() -> None:
    async def run() -> None:
        memory, disk = Room(0), Room(0)
        reader = Reader()
        outbox = box(reader, disk, memory)
        await outbox.put(b"x" * 10)
        waits = asyncio.create_task(outbox.put(b"y" * 10))
        await asyncio.sleep(0.05)
        assert memory.left < 0
        assert not memory.take(1)
        reader.reads.set()
        await waits
        await outbox.finish(b"z")
        assert reader.body == b"x" * 10 + b"y" * 10 + b"z"
        assert memory.left == 0
        assert memory.take(-1)  # to give back is never refused

    asyncio.run(run())
