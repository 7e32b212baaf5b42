"""Hostile callers of the kernel: objects that change what is being read, and Arrow data that is
wrong. `python -m kernel.hostile SECONDS` in tests/ attacks for that long (`make fuzz`)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

import numpy as np

from allotment.errors import InvalidInput
from allotment.kernel.batch import assign_columns
from allotment.kernel.export import export_column, export_table
from allotment.kernel.idset import IdSet
from allotment.kernel.plan import Plan
from allotment.kernel.segment import Segment
from allotment.kernel.sweep import sweep
from kernel.batching import plan_of, segment_where
from kernel.making import CLAUSE, HALVES, LIST, OR, make_plan, program
from kernel.producers import FLAT, WRONGS, Producer, Streaming

# What a hostile call may end with, besides an answer; never with a SystemError, nor with a crash.
REFUSALS: Final = (InvalidInput, MemoryError, TypeError, ValueError, OverflowError)


class Unruly(Exception):
    """What hostile objects raise."""


class Meddler:
    """Changes lists and dicts whenever anyone looks at it."""

    def __init__(self, dice: Random, victims: list[Any]) -> None:
        self.dice = dice
        self.victims = victims

    def _meddle(self) -> None:
        for victim in self.victims:
            match self.dice.randrange(4):
                case 0:
                    victim.clear()
                case 1 if isinstance(victim, list):
                    del victim[self.dice.randrange(len(victim) + 1) :]
                case 2 if isinstance(victim, list):
                    victim[:] = ["SE"] * len(victim)
        if self.dice.random() < 0.2:
            raise Unruly

    def __index__(self) -> int:
        self._meddle()
        return self.dice.choice([0, 1, 2, -1, 7, 2**40, 2**70])

    __int__ = __index__

    def __hash__(self) -> int:
        return hash("country")

    def __eq__(self, other: object) -> bool:
        self._meddle()
        return False

    def __len__(self) -> int:
        self._meddle()
        return self.dice.choice([0, 1, 5, 2**20])

    def __bool__(self) -> bool:
        self._meddle()
        return True


class LyingList(list[Any]):
    """Has one length for those who ask, and other items for those who look."""

    def __len__(self) -> int:
        return super().__len__() // 2

    def __iter__(self) -> Iterator[Any]:
        yield from ["x"] * 300


class LyingText(str):
    """Encodes as something else than it is."""

    __slots__ = ()

    def encode(self, *_: object) -> Any:
        return LyingBytes(b"x")

    def __len__(self) -> int:
        return 2**30


class LyingBytes(bytes):
    """Says it is longer than it is."""

    def __len__(self) -> int:
        return 2**30


class LyingArray(np.ndarray):
    """An array whose shape, type and extremes are other than they are."""

    dtype = np.dtype(np.int16)  # type: ignore[assignment]
    ndim = 1

    @property
    def shape(self) -> Any:
        return (1000,)

    def __len__(self) -> int:
        return 1000

    def min(self, *_: object, **__: object) -> Any:
        return 0

    def max(self, *_: object, **__: object) -> Any:
        return 0


class LyingMapping(dict[str, Any]):
    """Hands out other items each time."""

    def items(self) -> Any:
        return [("user", ["a"]), ("other", ["a", "b"])]

    def __contains__(self, key: object) -> bool:
        return True


class Attack:
    """One source of hostile calls; each ends in an answer of the right shape or a refusal."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        in_list = segment_where(("country",), lambda value: value in ("SE", 1, 2.5))
        nested = segment_where(("x", "y", "x"), lambda value: value == 1)
        both = Segment(
            program((CLAUSE, 0), (LIST, 0), (OR, 2)),
            [(("country",), lambda value: (value == "SE").to_bytes(8, "little"))],
            [IdSet(["u1", "SE"])],
            1,
            0,
        )
        self.plans = [
            plan_of(segments=(in_list,), audience=0),
            plan_of(segments=(nested, both), allocations=[(0, HALVES), (1, HALVES)]),
        ]
        self.calls: list[Callable[[], None]] = [
            self.objects,
            self.arrow,
            self.arrow,
            self.stream,
            self.compiling,
            self.exporting,
            self.arrays,
        ]

    def step(self) -> None:
        """One hostile call."""
        call = self.dice.choice(self.calls)
        try:
            call()
        except (*REFUSALS, Unruly):
            pass

    def _assign(self, units: Any, attributes: Any, stored: Any = None) -> None:
        plans = self.plans[:1] if stored is not None else self.plans
        for codes, reasons in assign_columns(plans, units, attributes, stored, 1):
            assert len(codes) == len(reasons)
            assert ((codes >= -1) & (codes < 2) & (reasons < 32)).all()

    def _values(self, rows: int) -> list[Any]:
        dice = self.dice
        values: list[Any] = [
            dice.choice(["SE", "NO", 1, 2.5, None, "é", "\ud800", True, 2**70, [1], {"x": 1}])
            for _ in range(rows)
        ]
        meddler = Meddler(dice, [values])
        for _ in range(dice.randrange(4)):
            values[dice.randrange(rows)] = dice.choice(
                [meddler, [meddler, "SE"], {meddler: 1}, {"country": meddler}, LyingText("SE")]
            )
        return LyingList(values) if dice.random() < 0.1 else values

    def objects(self) -> None:
        """Lists and mappings of objects that change them."""
        rows = self.dice.choice([1, 2, 30, 1100])
        units, column = self._values(rows), self._values(rows)
        if self.dice.random() < 0.3:
            column[0] = Meddler(self.dice, [units, column])
        attributes: Any = {"country": column, "x": [{"y": {"x": value}} for value in column]}
        forms = [attributes, column, [{"country": value} for value in column]]
        given: Any = self.dice.choice(forms)
        if self.dice.random() < 0.1:
            given = LyingMapping(attributes)
        kinds: Any = units if self.dice.random() < 0.8 else {"user": units, "x": column}
        self._assign(kinds, given)

    def _producer(
        self,
        rows: int,
        formats: tuple[bytes, ...],
        depth: int = 0,
        words: tuple[bytes, ...] | None = None,
    ) -> Producer:
        dice = self.dice
        made = Producer(dice, rows, dice.choice(formats), depth, words)
        if dice.random() < 0.6:
            wrong: Any = dice.choice(WRONGS)
            wrong(dice, *dice.choice(made.pairs))
        return made

    def arrow(self) -> None:
        """Arrays, of which one thing is wrong, as units or attributes."""
        rows = self.dice.choice([0, 1, 5, 40, 1030])
        if self.dice.random() < 0.3:
            units: Any = self._producer(rows, (*FLAT, b"+s"))
            self._assign(units, None)
        else:
            units = None
            column = self._producer(rows, (*FLAT, b"+s", b"+s", b"+l", b"+L"), depth=2)
            if self.dice.random() < 0.2:  # longer than the units are, which is seen
                column.array.length += self.dice.choice([1, 2**47])
            try:
                self._assign(
                    [f"u{i}" for i in range(rows)],
                    self.dice.choice([column, {"country": column}, {"x": column}]),
                )
            finally:
                assert max(column.released) <= 1
        if units is not None:
            assert max(units.released) <= 1

    def stream(self) -> None:
        """Chunks, some of them wrong, from a stream that may fail."""
        rows = self.dice.randrange(1, 9)
        # Chunks have one type, which only the schema of the first one tells.
        form, words = (self.dice.choice(FLAT),), (self.dice.choice(FLAT),)
        chunks = [self._producer(rows, form, words=words) for _ in range(self.dice.randrange(4))]
        source = Streaming(chunks, fails=self.dice.choice([-1, 0, 1, 9, 9, 9, 9]))
        if self.dice.random() < 0.5:
            self._assign(source, None)
        else:
            self._assign(["u"] * (rows * len(chunks)), {"country": source})

    def compiling(self) -> None:
        """Plans, segments and id sets made of numbers that differ each time they are read."""
        dice = self.dice
        number = Meddler(dice, [])
        match dice.randrange(4):
            case 0:
                made = Segment(
                    program((CLAUSE, 0)), [(("country",), lambda _: bytes(8))], [], number, number
                )
                self._assign_one(make_plan(segments=(made,), audience=0))
            case 1:
                slots = LyingList([(0, number, 0), (number, 1_000_000, number)])
                self._assign_one(
                    make_plan(
                        allocations=[(-1, slots)], holdout=("s", number), enrolment=("s", number)
                    )
                )
            case 2:
                ids = IdSet(LyingList(["u", "u1"]), LyingList([number] * 300))
                assert len(ids) <= 300
            case _:
                held = LyingList([number, number])
                sweep(self.plans[1], np.zeros((4, 3), np.uint64), members=held)

    @staticmethod
    def _assign_one(plan: Plan) -> None:
        assign_columns([plan], ["u", "v"], {"country": ["SE", 1]}, None, 1)

    def exporting(self) -> None:
        """Results whose parts lie about how many they are."""
        dice = self.dice
        codes = np.array([dice.choice([-1, 0, 1, 2, 300]) for _ in range(9)], np.int16)
        if dice.random() < 0.5:
            codes = codes.view(LyingArray)
        names: Any = dice.choice(
            [["a", "b"], LyingList(["a", "b"]), ["a", LyingText("b")], [LyingBytes(b"x"), "y"]]
        )
        if dice.random() < 0.5:
            export_column(codes, names)
        else:
            columns = LyingList([(codes, names)] * dice.choice([1, 2, 600]))
            export_table(LyingList(["x"] * len(columns)), columns)

    def arrays(self) -> None:
        """Arrays of a subclass that overrides what is asked of them."""
        rows = self.dice.choice([1, 3])
        array: Any = np.zeros(rows, self.dice.choice(["i2", "i8", "U3", "O"])).view(LyingArray)
        match self.dice.randrange(3):
            case 0:
                self._assign(array, None)
            case 1:
                self._assign(["u"] * rows, {"country": array})
            case _:
                self._assign(["u"] * self.dice.choice([rows, 1000]), None, array)


def main(arguments: list[str]) -> int:
    """Attack for so many seconds, from a seed that is printed."""
    seconds = float(arguments[0])
    seed = int(arguments[1]) if len(arguments) > 1 else time.time_ns() % 2**32
    print(f"hostile callers of the kernel: seed {seed}", flush=True)
    attack, calls, until = Attack(seed), 0, time.monotonic() + seconds
    while time.monotonic() < until:
        attack.step()
        calls += 1
    print(f"{calls:,} hostile calls, each answered or refused")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
