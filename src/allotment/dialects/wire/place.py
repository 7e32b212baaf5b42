"""A value of a request together with where it stands, so that every refusal can say so.

Unlike the catalog file's, its refusals never show the value: what comes in over HTTP does not go
out again in an error.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final

from allotment.dialects.wire.path import step
from allotment.dialects.wire.source import Tree
from allotment.errors import InvalidInput
from allotment.model.number import read_weight, read_whole
from allotment.model.text import is_blank

_DIGITS_MAX: Final = 18


class Absent(Enum):
    """What stands where the request says nothing."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Place:
    """A value and its path. Each reading gives the value as what it has to be, or raises
    InvalidInput; a field that is left out is a place too, which reads as nothing."""

    value: Tree | Absent
    path: str = "$"

    @property
    def given(self) -> bool:
        """Whether the request says anything here, be it null."""
        return self.value is not ABSENT

    @property
    def null(self) -> bool:
        """Whether the request says null here."""
        return self.value is None

    @property
    def said(self) -> bool:
        """Whether the request says anything here that is not null."""
        return self.value is not ABSENT and self.value is not None

    def refusal(self, message: str) -> InvalidInput:
        """The error that says what is wrong at this place."""
        return InvalidInput(message, self.path)

    # Collections.

    def fields(self, known: Collection[str], required: Collection[str] = ()) -> Place:
        """This place, once it is an object with no fields but the `known`, and all `required`."""
        entries = self._object()
        for name in entries:
            if name not in known:
                words = ", ".join(known)
                raise self.at(name).refusal(f"this does not belong here; there may be {words}")
        for name in required:
            if name not in entries:
                raise self.at(name).refusal("this is required")
        return self

    def at(self, name: str) -> Place:
        """The place of one field, given or not."""
        return Place(self._object().get(name, ABSENT), step(self.path, name))

    def entries(self, least: int, most: int) -> list[tuple[str, Place]]:
        """The entries of an object whose keys the request chooses."""
        found = self._object()
        self._count(len(found), least, most, "entries")
        return [(key, Place(value, step(self.path, key))) for key, value in found.items()]

    def items(self, least: int, most: int) -> list[Place]:
        """The items of a list."""
        if not isinstance(self.value, list):
            raise self.refusal("a list belongs here")
        self._count(len(self.value), least, most, "items")
        return [Place(value, f"{self.path}[{index}]") for index, value in enumerate(self.value)]

    def _object(self) -> dict[str, Tree]:
        if not isinstance(self.value, dict):
            raise self.refusal("an object belongs here")
        return self.value

    def _count(self, count: int, least: int, most: int, word: str) -> None:
        if not least <= count <= most:
            raise self.refusal(f"{least:,} to {most:,} {word} belong here, not {count:,}")

    # Single values.

    def tree(self) -> Tree:
        """Any value."""
        if self.value is ABSENT:
            raise self.refusal("this is required")
        return self.value

    def text(self, least: int, most: int) -> str:
        """Text of so many characters; where it may not be empty, it is not blank either."""
        if not isinstance(self.value, str):
            raise self.refusal("text belongs here")
        if not least <= len(self.value) <= most:
            raise self.refusal(
                f"{least:,} to {most:,} characters belong here, not {len(self.value):,}"
            )
        if least and is_blank(self.value):
            raise self.refusal("text that is not white space alone belongs here")
        return self.value

    def truth(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.refusal("true or false belongs here")
        return self.value

    def whole(self, low: int, high: int) -> int:
        """A whole number. 2.0 is one, as JSON has one kind of number."""
        value = self.value
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.refusal("a whole number belongs here")
        if not low <= value <= high:
            raise self.refusal(f"a whole number from {low:,} to {high:,} belongs here")
        return value

    def digits(self, low: int, high: int) -> int:
        """A whole number as text, such as a query has."""
        number = read_whole(self.text(1, _DIGITS_MAX))
        if number is None:
            raise self.refusal("a whole number belongs here")
        return Place(number, self.path).whole(low, high)

    def number(self, low: int, high: int) -> Decimal:
        """A number, exactly as it is written."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self.refusal("a number belongs here")
        exact = read_weight(self.value, self.path)
        if not low <= exact <= high:
            raise self.refusal(f"a number from {low:,} to {high:,} belongs here")
        return exact

    def word(self, known: Collection[str]) -> str:
        """One of the `known` words."""
        if not isinstance(self.value, str) or self.value not in known:
            raise self.refusal(f"one of {', '.join(known)} belongs here")
        return self.value
