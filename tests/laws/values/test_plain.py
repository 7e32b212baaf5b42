"""What counts as what: the table of docs/values.md, subclasses, strangers."""

from __future__ import annotations

import array
from collections import OrderedDict, UserDict, UserString, deque
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from allotment.values import OPAQUE, key_of, mapping_of, plain, values_of


class Loud:
    """Raises whatever is asked of it."""

    def __index__(self) -> int:
        raise RuntimeError("do not ask")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("do not compare")

    def __hash__(self) -> int:
        raise RuntimeError("do not hash")

    @property
    def __class__(self) -> Any:
        raise RuntimeError("do not look")


class LyingText(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("do not print")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("do not compare")

    def __hash__(self) -> int:
        raise RuntimeError("do not hash")


class LyingNumber(int):
    def __int__(self) -> int:
        raise RuntimeError("do not convert")

    def __index__(self) -> int:
        raise RuntimeError("do not convert")


class LyingList(list[object]):
    def __iter__(self) -> Any:
        raise RuntimeError("do not walk")


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Lock(Enum):
    OPEN = "open"


class LyingDecimal(Decimal):
    def __float__(self) -> float:
        raise RuntimeError("do not convert")

    __int__ = __eq__ = __hash__ = __float__  # type: ignore[assignment]


class LyingMapping(Mapping[str, object]):
    def __getitem__(self, key: str) -> object:
        raise RuntimeError("do not look")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("do not walk")

    def __len__(self) -> int:
        return 1


KEY = UUID("12345678-9abc-def0-1234-56789abcdef0")
FAR = timezone(timedelta(hours=2))

COUNTS_AS = [
    ("SE", "SE"),
    (LyingText("SE"), "SE"),
    (Colour.RED, "red"),
    (np.str_("SE"), "SE"),
    ("a\ud800", "a\ud800"),
    (b"SE", "SE"),
    (bytearray("é".encode()), "é"),
    (memoryview(b"SE"), "SE"),
    (UserString("SE"), "SE"),
    (np.bytes_(b"SE"), "SE"),
    (pa.scalar("SE"), "SE"),
    (pa.scalar(b"SE"), "SE"),
    (KEY, "12345678-9abc-def0-1234-56789abcdef0"),
    (7, 7),
    (LyingNumber(7), 7),
    (Level.HIGH, 3),
    (np.int64(7), 7),
    (np.uint64(2**64 - 1), 2**64 - 1),
    (np.array(7), 7),
    (pa.scalar(7), 7),
    pytest.param(10**5000, 10**5000, id="5001 digits"),
    (Decimal(7), 7),
    (Decimal("7.00"), 7),
    (Decimal("7e2"), 700),
    (Decimal("-0"), 0),
    (Decimal(12345678901234567890123456789012345678), 12345678901234567890123456789012345678),
    (True, True),
    (np.bool_(True), True),
    (np.bool_(False), False),
    (pa.scalar(False), False),
    (1.5, 1.5),
    (np.float64(1.5), 1.5),
    (np.float32(0.1), float(np.float32(0.1))),
    (np.float16(0.1), float(np.float16(0.1))),
    (np.longdouble(1.5), 1.5),
    (Decimal("0.1"), 0.1),
    (Decimal("17.50"), 17.5),
    (LyingDecimal("17.50"), 17.5),
    (Decimal("1e999999999"), float("inf")),
    (Decimal("1e-999999999"), 0.0),
    (Decimal("-Infinity"), float("-inf")),
    (float("inf"), float("inf")),
    (date(2026, 1, 2), "2026-01-02"),
    (np.datetime64("2026-01-02"), "2026-01-02"),
    (np.datetime64("2026-01"), "2026-01-01"),
    (datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05"),
    (datetime(2026, 1, 2, 3, 4, 5, 60), "2026-01-02T03:04:05.000060"),
    (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
    (datetime(2026, 1, 2, 1, tzinfo=FAR), "2026-01-01T23:00:00Z"),
    (np.datetime64("2026-01-02T03:04"), "2026-01-02T03:04:00"),
    (np.datetime64("1969-12-31T23:59:59.5"), "1969-12-31T23:59:59.500000"),
    (np.datetime64("2026-01-02T03:04:05.000000007"), "2026-01-02T03:04:05.000000007"),
    (pd.Timestamp("2026-01-02T03:04:05.000000007Z"), "2026-01-02T03:04:05.000000007Z"),
    (pd.Timestamp("2026-01-02T03:04:05", tz="Europe/Stockholm"), "2026-01-02T02:04:05Z"),
    (time(3, 4, 5, 600), "03:04:05.000600"),
]


@pytest.mark.parametrize(("value", "expected"), COUNTS_AS, ids=lambda each: type(each).__name__)
def test_a_value_counts_as_its_exact_text_or_number(value: object, expected: object) -> None:
    found = plain(value)
    assert type(found) is type(expected)
    assert found == expected


@pytest.mark.parametrize(
    "value",
    [b"\xff", {"country": "SE"}, UserDict(), LyingMapping(), object(), Lock.OPEN, Fraction(1, 2),
     1j, timedelta(1), np.timedelta64(1, "s"), pd.Timedelta(1), pa.scalar(timedelta(1)), Decimal,
     np.datetime64("20000-01-01"), np.datetime64(2**62, "ps"), iter("SE"), memoryview(b"\xff")],
    ids=lambda each: f"{type(each).__name__}",
)  # fmt: skip
def test_anything_else_is_there_and_unread(value: object) -> None:
    assert plain(value) is OPAQUE


@pytest.mark.parametrize(
    "value",
    [None, float("nan"), np.float64("nan"), np.float16("nan"), Decimal("nan"), Decimal("snan"),
     pd.NA, pd.NaT, np.datetime64("nat"), np.ma.masked, pa.scalar(None), pa.scalar(None, "int8")],
    ids=lambda each: f"{type(each).__name__}",
)  # fmt: skip
def test_what_stands_for_no_value_is_absent(value: object) -> None:
    assert plain(value) is None
    assert list(values_of(value)) == []
    assert list(values_of([value])) == [OPAQUE]


def test_an_object_that_raises_at_every_question_is_opaque() -> None:
    assert plain(Loud()) is OPAQUE
    assert key_of(Loud()) is None
    assert mapping_of(Loud()) is None


@pytest.mark.parametrize(
    "make",
    [list, tuple, set, frozenset, deque, LyingList, lambda some: np.array(list(some), object),
     lambda some: dict.fromkeys(some).keys(), lambda some: pd.Series(list(some), dtype=object)],
    ids=lambda make: getattr(make, "__name__", "made"),
)  # fmt: skip
def test_a_list_is_there_and_has_elements_without_what_is_absent_and_without_lists(
    make: Any,
) -> None:
    found = list(values_of(make(["a", None, 1, ("nested",), b"\xff"])))
    assert (found[0], {*found[1:]}) == (OPAQUE, {"a", 1, OPAQUE})


@pytest.mark.parametrize(
    "value",
    [np.array([1.5, 2.5], np.float32), array.array("d", [1.5, 2.5]), pl.Series([1.5, 2.5]),
     pd.Series([1.5, 2.5]), pa.array([1.5, 2.5]), pa.chunked_array([[1.5], [2.5]]),
     pa.scalar([1.5, 2.5]), np.ma.array([1.5, 7, 2.5], mask=[0, 1, 0])],
    ids=lambda each: f"{type(each).__module__}.{type(each).__name__}",
)  # fmt: skip
def test_a_column_in_a_cell_is_a_list(value: object) -> None:
    assert list(values_of(value)) == [OPAQUE, 1.5, 2.5]


def test_a_list_of_lists_has_no_elements() -> None:
    assert list(values_of(np.array([["SE"], ["NO"]]))) == [OPAQUE]
    assert list(values_of([])) == [OPAQUE]


def test_a_sequence_without_end_is_opaque() -> None:
    assert plain(range(10**15)) is OPAQUE
    assert plain(range(3)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("value", "expected"),
    [({"a": 1}, {"a": 1}), (OrderedDict(a=1), {"a": 1}), (UserDict(a=1), {"a": 1}),
     (LyingMapping(), None), (None, None), ("text", None), ([("a", 1)], None)],
    ids=lambda each: f"{type(each).__name__}",
)  # fmt: skip
def test_a_mapping_is_read_as_a_dict(value: object, expected: object) -> None:
    assert mapping_of(value) == expected


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("user-1", "user-1"), (LyingText("user-1"), "user-1"), (b"user-1", "user-1"), (KEY, str(KEY)),
     (pa.scalar("user-1"), "user-1"), (7, 7), (LyingNumber(7), 7), (np.uint8(7), 7),
     (Decimal(7), 7), (Decimal(10**37), 10**37), (pa.scalar(Decimal(7)), 7), (np.array(7), 7)],
    ids=lambda each: f"{type(each).__name__}",
)  # fmt: skip
def test_a_unit_is_text_a_whole_number_or_a_uuid(unit: object, expected: object) -> None:
    found = key_of(unit)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    "unit",
    [None, True, np.bool_(True), pa.scalar(True), 1.0, np.float32(1), Decimal("7.0"),
     pa.scalar(Decimal("7.0")), Decimal("7e1"), Decimal("nan"), b"\xff", date(2026, 1, 1),
     datetime(2026, 1, 1), np.datetime64("2026-01-01"), pa.scalar(date(2026, 1, 1)), ["user-1"],
     np.array(["user-1"]), {"user-1"}, {"user": "user-1"}, object()],
    ids=lambda each: f"{type(each).__name__}",
)  # fmt: skip
def test_anything_else_is_no_unit(unit: object) -> None:
    assert key_of(unit) is None
