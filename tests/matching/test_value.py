"""What counts as what: exact types, subclasses, strangers."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any

import numpy as np
import pytest

from allotment.matching.value import OPAQUE, value_of, values_of


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


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("SE", "SE"),
        (LyingText("SE"), "SE"),
        (Colour.RED, "red"),
        (np.str_("SE"), "SE"),
        ("a\ud800", "a\ud800"),
        (7, 7),
        (LyingNumber(7), 7),
        (Level.HIGH, 3),
        (np.int64(7), 7),
        pytest.param(10**5000, 10**5000, id="5001 digits"),
        (True, True),
        (1.5, 1.5),
        (np.float64(1.5), 1.5),
        (float("inf"), float("inf")),
    ],
)
def test_a_value_counts_as_its_exact_text_or_number(value: object, expected: object) -> None:
    found = value_of(value)
    assert type(found) is type(expected)
    assert found == expected


@pytest.mark.parametrize(
    "value",
    [float("nan"), np.float64("nan"), b"SE", {"country": "SE"}, object(), np.array([1, 2])],
)
def test_anything_else_is_opaque(value: object) -> None:
    assert value_of(value) is OPAQUE


def test_an_object_that_raises_at_every_question_is_opaque() -> None:
    assert value_of(Loud()) is OPAQUE


@pytest.mark.parametrize("make", [list, tuple, LyingList])
def test_a_list_counts_as_its_elements_without_none_and_without_lists(make: Any) -> None:
    assert list(values_of(make(["a", None, 1, ["nested"], ("nested",), b"x"]))) == ["a", 1, OPAQUE]


def test_an_empty_list_counts_as_nothing() -> None:
    assert list(values_of([])) == []
