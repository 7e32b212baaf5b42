"""Callers that change what is being read, and data that lies about itself: none ends the process,
and none gets what it should not."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allotment.errors import InvalidInput
from allotment.kernel.batch import assign_columns
from allotment.kernel.export import export_column, export_table
from allotment.kernel.segment import Segment
from allotment.kernel.sweep import sweep
from kernel.batching import SWEDES, plan_of
from kernel.hostile import Attack, LyingArray, LyingBytes, LyingList, LyingText
from kernel.making import CLAUSE, program

PLAN = plan_of(segments=(SWEDES,), audience=0)


class Clearing:
    """Empties a list when it is read as a number."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __index__(self) -> int:
        self.items.clear()
        return 1


def test_a_list_of_units_that_an_item_shortens_is_refused() -> None:
    units: list[Any] = []
    units += [Clearing(units), *[7] * 5_000]
    with pytest.raises(InvalidInput, match="became shorter"):
        assign_columns([PLAN], units)


def test_a_list_of_attributes_that_an_item_shortens_is_refused() -> None:
    column: list[Any] = []
    column += [Clearing(column), *[7] * 5_000]
    with pytest.raises(InvalidInput, match="became shorter"):
        assign_columns([PLAN], ["u"] * len(column), {"country": column})


def test_a_list_that_another_thread_shortens_is_refused_or_read() -> None:
    ended = threading.Event()

    def shorten(items: list[Any]) -> None:
        while not ended.is_set():
            del items[1_000:]
            items.extend([7] * 9_000)

    units: list[Any] = [7] * 10_000
    other = threading.Thread(target=shorten, args=(units,))
    other.start()
    try:
        for _ in range(30):
            try:
                [(codes, _)] = assign_columns([PLAN], units)
                assert len(codes) <= 10_000
            except InvalidInput:
                pass
    finally:
        ended.set()
        other.join()


def test_a_number_that_differs_each_time_it_is_read_is_read_once() -> None:
    class Differing:
        numbers = iter([9, 1, 1, 1])

        def __index__(self) -> int:
            return next(self.numbers)

        __int__ = __index__

    many: Any = Differing()
    made = Segment(program((CLAUSE, 500)), [(("country",), lambda _: bytes(72))], [], many, 0)
    plan = plan_of(segments=(made,), audience=0)
    assert len(assign_columns([plan], ["u"], {"country": ["SE"]})) == 1


def test_members_that_are_more_than_they_say_are_refused() -> None:
    with pytest.raises(InvalidInput, match="members say one thing"):
        sweep(plan_of(), np.zeros((4, 1), np.uint64), members=LyingList([]))


def test_an_export_takes_parts_as_they_are_and_not_as_they_say() -> None:
    codes = np.array([0, 300], np.int16).view(LyingArray)
    with pytest.raises(InvalidInput, match="below 2"):
        export_column(codes, ["a", "b"])
    names: Any = [LyingBytes(b"a"), "b"]
    with pytest.raises(InvalidInput, match="names are text"):
        export_column(np.array([0], np.int16), names)
    export_column(np.array([0], np.int16), [LyingText("a")])
    good: Any = (np.array([0], np.int16), ["a"])
    with pytest.raises(InvalidInput, match="stand beside"):
        export_table(["x"], [good, good])
    with pytest.raises(InvalidInput, match="NUL"):
        export_table(["x\0y"], [good])


def test_an_array_is_taken_as_it_is_and_not_as_it_says() -> None:
    short: Any = np.zeros(3, np.int16).view(LyingArray)
    with pytest.raises(InvalidInput, match="one stored treatment for each unit"):
        assign_columns([PLAN], ["u"] * 1000, None, short)


def test_thousands_of_hostile_calls_are_each_answered_or_refused(seed: int) -> None:
    attack = Attack(seed)
    for _ in range(2_500):
        attack.step()


def test_the_attack_runs_by_itself_for_as_long_as_it_is_told() -> None:
    """As `make fuzz` starts it."""
    here = Path(__file__).parent.parent
    command = [sys.executable, "-m", "kernel.hostile", "0.5", "7"]
    ended = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "hostile calls" in ended.stdout
