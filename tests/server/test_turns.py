"""Turns: a few requests begin before the loop looks at the network again."""

from __future__ import annotations

import asyncio

import pytest

from allotment.server.turns import Turns

pytestmark = pytest.mark.anyio


async def test_a_few_begin_at_once_and_the_others_after_the_loop_has_looked_around() -> None:
    turns, begun = Turns(), list[int]()
    rounds: list[int] = []

    async def take(number: int) -> None:
        await turns.mine()
        begun.append(number)

    tasks = [asyncio.create_task(take(number)) for number in range(100)]
    while len(begun) < 100:
        before = len(begun)
        await asyncio.sleep(0)
        rounds.append(len(begun) - before)
    assert begun == list(range(100))
    assert max(rounds) <= 8
    await asyncio.gather(*tasks)


async def test_one_alone_waits_for_nothing() -> None:
    turns = Turns()
    for _ in range(8):
        waits = turns.mine()
        with pytest.raises(StopIteration):
            waits.send(None)


async def test_one_that_gave_up_takes_no_turn() -> None:
    turns, begun = Turns(), list[int]()

    async def take(number: int) -> None:
        await turns.mine()
        begun.append(number)

    tasks = [asyncio.create_task(take(number)) for number in range(40)]
    await asyncio.sleep(0)
    for task in tasks[10:30]:
        task.cancel()
    await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
    assert begun == [*range(10), *range(30, 40)]
