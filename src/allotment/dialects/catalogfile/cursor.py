"""A value in a catalog file together with where it stands, so that every refusal can say so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar, cast

import msgspec

from allotment.dialects.catalogfile.advice import choices, found, quoted
from allotment.errors import InvalidInput
from allotment.model.text import check_description, check_key, check_name, is_key

Tree: TypeAlias = "bool | int | float | str | list[Tree] | dict[str, Tree] | None"
# Fields of the file, each with its name in the model and with what reads its place.
Readers: TypeAlias = Mapping[str, tuple[str, Callable[[Any], Any]]]
Choice = TypeVar("Choice", bound=StrEnum)
T = TypeVar("T")


class NotGiven(Enum):
    """What stands where the file says nothing."""

    ABSENT = "absent"


ABSENT = NotGiven.ABSENT

NO_ADVICE: Mapping[str, str] = MappingProxyType({})

# Keys that read well after a dot; others are quoted in brackets.
_SIMPLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")


class Cursor(msgspec.Struct, frozen=True, gc=False):
    """A value, and the way to it from the top of the file.

    Reading a place gives the value as what it has to be, or raises InvalidInput with the path. A
    field that the file leaves out is a place too: it reads as the default, or is refused where
    there is none.
    """

    value: Tree | NotGiven
    step: str | int = "$"
    parent: Cursor | None = None

    @property
    def path(self) -> str:
        """Where this stands, such as `$.experiments.checkout.allocations[1].weights`."""
        if self.parent is None:
            return str(self.step)
        if isinstance(self.step, int):
            return f"{self.parent.path}[{self.step}]"
        if _SIMPLE.match(self.step):
            return f"{self.parent.path}.{self.step}"
        return f"{self.parent.path}[{json.dumps(self.step)}]"

    @property
    def given(self) -> bool:
        """Whether the file says anything here."""
        return self.value is not ABSENT

    def refusal(self, message: str) -> InvalidInput:
        """The error that says what is wrong at this place."""
        return InvalidInput(message, self.path)

    def wrong(self, wanted: str, advice: str = "") -> InvalidInput:
        """The error for a value of another kind than the one `wanted` here."""
        if self.value is ABSENT:
            return self.refusal(f"this is missing: {wanted} belongs here")
        return self.refusal(f"{wanted} belongs here; this is {found(self.value)}{advice}")

    def required(self, wanted: str) -> Cursor:
        """This place, once the file says something here, which is what is `wanted`."""
        if self.value is ABSENT:
            raise self.wrong(wanted)
        return self

    # Collections.

    def at(self, name: str) -> Cursor:
        """The place of one field, given or not."""
        if not isinstance(self.value, dict):
            raise self.wrong("a mapping")
        return Cursor(self.value.get(name, ABSENT), name, self)

    def given_of(self, readers: Readers) -> dict[str, Any]:
        """What the file gives of some fields of this mapping, each read by its reader.

        What the file leaves out is the model's default, and costs nothing.
        """
        value = self.value
        if not isinstance(value, dict):
            raise self.wrong("a mapping")
        return {
            field: read(Cursor(value[name], name, self))
            for name, (field, read) in readers.items()
            if name in value
        }

    def fields(self, known: Collection[str], instead: Mapping[str, str] = NO_ADVICE) -> Cursor:
        """This place, once it is a mapping that has no other fields than the `known` ones.

        `instead` says for some words from elsewhere what is written here.
        """
        if not isinstance(self.value, dict):
            raise self.wrong("a mapping")
        for name in self.value:
            if name not in known:
                advice = instead.get(name) or choices(name, known)
                raise self.at(name).refusal(f"there is no field {quoted(name)} here; {advice}")
        return self

    def entries(self) -> list[tuple[str, Cursor]]:
        """The entries of a mapping whose keys the file chooses; nothing where it is left out."""
        if self.value is ABSENT:
            return []
        if not isinstance(self.value, dict):
            raise self.wrong("a mapping")
        return [(key, Cursor(value, key, self)) for key, value in self.value.items()]

    def items(self) -> list[Cursor]:
        """The items of a list; nothing where it is left out."""
        if self.value is ABSENT:
            return []
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        return [Cursor(value, index, self) for index, value in enumerate(self.value)]

    def parts(self) -> list[Cursor]:
        """The places in a mapping or a list, whatever they are."""
        if isinstance(self.value, dict):
            return [place for _, place in self.entries()]
        return self.items()

    # Single values.

    def text(self) -> str:
        """Any text."""
        if isinstance(self.value, bool | int | float):
            raise self.wrong("text", f": write it in quotes, {quoted(json.dumps(self.value))}")
        if not isinstance(self.value, str):
            raise self.wrong("text")
        return self.value

    def name(self) -> str:
        """A label, "" where the file gives none."""
        return self._label(check_name) if self.given else ""

    def description(self) -> str:
        """A longer text, "" where the file gives none."""
        return self._label(check_description) if self.given else ""

    def _label(self, check: Callable[[str, str], str]) -> str:
        text = self.text()
        try:
            return check(text, "")
        except InvalidInput as fault:
            raise self.refusal(fault.message) from None

    def key(self, default: str | None = None) -> str:
        """A key: of a noun, a treatment, an allocation, or the name of a kind of unit."""
        if default is not None and not self.given:
            return default
        return self._checked(self.text())

    def truth(self, default: bool = False) -> bool:
        """True or false."""
        if not self.given:
            return default
        if not isinstance(self.value, bool):
            raise self.wrong("true or false")
        return self.value

    def whole(self, low: int, high: int | None = None) -> int:
        """A whole number from `low` on, and up to `high` where that is given."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.wrong("a whole number")
        if self.value < low:
            raise self.refusal(f"this is {low:,} or more; {self.value:,} is not")
        if high is not None and self.value > high:
            raise self.refusal(f"this is at most {high:,}; {self.value:,} is not")
        return self.value

    def choice(self, default: Choice) -> Choice:
        """One of the words of the enumeration that `default` belongs to."""
        if not self.given:
            return default
        try:
            return type(default)(cast(str, self.value))
        except ValueError:
            raise self.wrong(f"one of {', '.join(type(default))}") from None

    # The key that an entry of a mapping stands under.

    def own_key(self) -> str:
        """The key of this entry, as one that can name a noun."""
        return self._checked(self.step)

    def _checked(self, key: str | int) -> str:
        """A key that can name a noun; the path is put together where it is needed."""
        return key if isinstance(key, str) and is_key(key) else check_key(key, self.path)


class Alike:
    """What was read of a file so far: most experiments deal alike, and that is read once.

    It is one object then, which is also checked once.
    """

    __slots__ = ("_read",)

    def __init__(self) -> None:
        self._read: dict[tuple[object, bytes], Any] = {}

    def read(self, place: Cursor, reader: Callable[[Cursor], T]) -> T:
        """What the reader, which asks for nothing but the value, makes of it."""
        said = reader, msgspec.json.encode(place.value)
        if said not in self._read:
            self._read[said] = reader(place)
        found: T = self._read[said]
        return found
