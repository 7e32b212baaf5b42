"""The body of a batch waits in bounded memory, then on the disk, and gives back what it took."""

from __future__ import annotations

import asyncio
import io
import random
import tempfile
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from allotment.errors import AllotmentError, Overloaded, TooLarge
from allotment.server.assign.batch.body import Budget, SpooledBody

PLENTY = 1 << 40
MIB = 1 << 20


class Client:
    """Sends chunks, and then stays or leaves."""

    def __init__(self, chunks: Iterable[bytes], *, leaves: bool = False) -> None:
        self._chunks = iter([*chunks, None])
        self._next: bytes | None = next(self._chunks)
        self._leaves = leaves

    async def __call__(self) -> dict[str, Any]:
        chunk, self._next = self._next, next(self._chunks, None)
        if chunk is None:
            return {"type": "http.disconnect"}
        more = self._next is not None or self._leaves
        return {"type": "http.request", "body": chunk, "more_body": more}


async def in_thread(work: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(work)


class Spent:
    """Budgets, and what was read of one body."""

    def __init__(self, memory: int = PLENTY, disk: int = PLENTY) -> None:
        self.memory, self.disk = Budget(memory, "memory"), Budget(disk, "disk space")
        self._all = memory, disk
        self.held: tuple[int, int] | None = None

    def read(self, client: Any, most: int = PLENTY) -> bytes:
        return asyncio.run(self._read(client, most))

    async def _read(self, client: Any, most: int) -> bytes:
        body = SpooledBody(self.memory, self.disk, in_thread)
        try:
            await body.receive(client, most, "it is too large")
            self.held = self._all[0] - self.memory.left, self._all[1] - self.disk.left
            found = body.file.read()
            assert len(found) == body.size
            return found
        finally:
            await body.close()
            assert body.file.closed or isinstance(body.file, io.BytesIO)
            assert (self.memory.left, self.disk.left) == self._all


@pytest.mark.parametrize("size", [0, 1, MIB, MIB + 1, 5 * MIB + 17])
def test_a_body_is_what_was_sent_however_it_was_cut(size: int) -> None:
    chance = random.Random(size)
    sent = chance.randbytes(size)
    for _ in range(5):
        cuts = sorted(chance.randrange(size + 1) for _ in range(chance.choice((0, 3, 50))))
        chunks = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, size], strict=True)]
        assert Spent().read(Client(chunks)) == sent


def test_a_small_body_waits_in_memory_and_a_large_one_on_the_disk() -> None:
    small, large = Spent(), Spent()
    small.read(Client([b"x" * 1_000] * 100))
    assert small.held == (100_000, 0)
    large.read(Client([b"x" * 1_000] * 10_000))
    assert large.held == (0, 10_000_000)


def refused(spent: Spent, client: Any, kind: type[AllotmentError], most: int = PLENTY) -> str:
    with pytest.raises(kind) as error:
        spent.read(client, most)
    return error.value.message


def test_a_body_that_finds_no_room_is_turned_away() -> None:
    chunks = [b"x" * 65_536] * 64
    assert "memory" in refused(Spent(memory=MIB // 2), Client(chunks), Overloaded)
    assert "disk space" in refused(Spent(disk=3 * MIB), Client(chunks), Overloaded)
    assert refused(Spent(), Client(chunks), TooLarge, most=3 * MIB) == "it is too large"


def test_a_full_disk_turns_a_body_away(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BufferedRandom):
        def write(self, _: object, /) -> int:
            raise OSError(28, "No space left on device")

    with tempfile.TemporaryFile() as real:
        full = Full(real.raw)  # type: ignore[attr-defined]
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda: full)
        said = refused(Spent(), Client([b"x" * 65_536] * 64), Overloaded)
    assert said == "the body cannot be stored on the disk: No space left on device"


@pytest.mark.parametrize("count", [1, 64])
def test_a_client_that_leaves_gives_back_what_it_took(count: int) -> None:
    with pytest.raises(ClientDisconnect):
        Spent().read(Client([b"x" * 65_536] * count, leaves=True))


def test_a_budget_that_is_overdrawn_gives_nothing_and_recovers() -> None:
    budget = Budget(10, "memory")
    with budget.taken(15, overdraw=True):
        with pytest.raises(Overloaded):
            budget.take(1)
        budget.take(0)
    with budget.taken(10), pytest.raises(Overloaded), budget.taken(1):
        pass
    assert budget.left == 10
