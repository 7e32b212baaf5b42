"""JsonLogic, as far as it asks for attributes: conditions, in JsonLogic's own terms of truth.

JsonLogic compares loosely: a number with text that spells one, and what is missing as 0. What is
missing and truth values are said exactly; a note says where text would be read as a number.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from allotment.importers.flagd_versions import compared_versions
from allotment.importers.payload import refuse, usable_key
from allotment.importers.rules import Note
from allotment.importers.values import ids_of
from allotment.model.number import read_whole
from allotment.model.segment import (
    AllOf,
    AnyOf,
    Clause,
    Condition,
    InSegment,
    Not,
    Operator,
    Scalar,
    Segment,
)

_KEY: Final = ("targetingKey",)
_ORDERS: Final[dict[str, tuple[Operator, Callable[[float, float], bool], str]]] = {
    "<": (Operator.LESS, operator.lt, ">"),
    "<=": (Operator.AT_MOST, operator.le, ">="),
    ">": (Operator.GREATER, operator.gt, "<"),
    ">=": (Operator.AT_LEAST, operator.ge, "<="),
}
_ENDS: Final = {"starts_with": Operator.STARTS_WITH, "ends_with": Operator.ENDS_WITH}
_DEPTH_MAX: Final = 32


def operation(tree: Any, path: str) -> tuple[str, list[Any]]:
    """The one operation of a tree, and its arguments."""
    if not isinstance(tree, dict) or len(tree) != 1:
        refuse(path, "this is no operation of JsonLogic: an object with one key")
    ((word, arguments),) = tree.items()
    return word, arguments if isinstance(arguments, list) else [arguments]


class Logic:
    """The conditions of one flag, as they are read.

    notes     what must be known of them
    segments  lists of targeting keys that they name
    """

    def __init__(self, flag: str, evaluators: Mapping[str, Any]) -> None:
        self.flag = flag
        self.evaluators = evaluators
        self.notes: list[Note] = []
        self.segments: list[Segment] = []

    def referred(self, tree: Any, path: str) -> Any:
        """The tree, or the shared evaluator that it names."""
        for _ in range(_DEPTH_MAX):
            if not isinstance(tree, dict) or set(tree) != {"$ref"}:
                return tree
            if tree["$ref"] not in self.evaluators:
                refuse(f"{path}.$ref", f"there is no evaluator {tree['$ref']!r}")
            tree = self.evaluators[tree["$ref"]]
        return refuse(path, "the evaluators name each other in a circle")

    def condition(self, tree: Any, path: str, depth: int = 0) -> Condition:
        """When the tree is truthy. Raises LeftOut where that cannot be said."""
        if depth > _DEPTH_MAX:
            refuse(path, "this is nested too deep")
        tree = self.referred(tree, path)
        if isinstance(tree, bool):
            return AllOf(()) if tree else AnyOf(())
        word, arguments = operation(tree, path)
        here = f"{path}.{word}"
        if word in ("and", "or", "!", "!!"):
            if not arguments or (word in ("!", "!!") and len(arguments) > 1):
                refuse(here, f"{word!r} has another number of arguments")
            conditions = tuple(
                self.condition(one, f"{here}[{index}]", depth + 1)
                for index, one in enumerate(arguments)
            )
            if word in ("!", "!!"):
                return Not(conditions[0]) if word == "!" else conditions[0]
            return AllOf(conditions) if word == "and" else AnyOf(conditions)
        if word == "var":
            return _truthy(_path(tree, here))
        return self._comparison(word, arguments, here)

    def _comparison(self, word: str, arguments: Sequence[Any], path: str) -> Condition:
        if word in _ORDERS:
            return self._ordered(word, arguments, path)
        if word == "sem_ver" and len(arguments) == 3:
            attribute = _path(arguments[0], f"{path}[0]")
            message = "flagd reads 1.2 and v1.2.0 as 1.2.0; send whole versions"
            self.notes.append(Note(path, message))
            return compared_versions(attribute, arguments[1], arguments[2], path)
        if len(arguments) != 2:
            refuse(path, f"{word!r} is not known here, or has another number of arguments")
        one, other = arguments
        if word in _ENDS and isinstance(other, str):
            return Clause(_path(one, f"{path}[0]"), _ENDS[word], (other,))
        if word == "in" and isinstance(other, list):
            return self._equal(one, other, path)
        if word == "in" and isinstance(one, str):
            message = "flagd looks for an equal element in a list; here any element may contain it"
            self.notes.append(Note(path, message))
            return Clause(_path(other, f"{path}[1]"), Operator.CONTAINS, (one,))
        if word in ("==", "===", "!=", "!=="):
            if not isinstance(one, dict):
                one, other = other, one
            strict = len(word) == 3
            equal = self._equal(one, [other], path) if strict else self._alike(one, other, path)
            return equal if word.startswith("=") else Not(equal)
        return refuse(path, f"{word!r} is not known here, or compares other things")

    def _equal(self, tree: Any, values: Sequence[Any], path: str) -> Condition:
        """The attribute has one of the values, of the same type."""
        attribute = _path(tree, path, key=True)
        if values == [None] and attribute != _KEY:
            return Not(Clause(attribute, Operator.EXISTS))
        if not all(isinstance(value, str | bool | int | float) for value in values):
            refuse(path, "only texts, numbers and truth values are compared")
        if attribute == _KEY:
            return self._listed([value for value in values if isinstance(value, str)], path)
        return Clause(attribute, Operator.IN, tuple(values)) if values else AnyOf(())

    def _alike(self, tree: Any, value: Any, path: str) -> Condition:
        """The attribute equals the value where a number may be spelled as text."""
        attribute = _path(tree, path, key=True)
        if attribute == _KEY and isinstance(value, str):
            return self._listed([value], path)
        if isinstance(value, str):
            number = _number(value)
            if number is None and value.strip() == value != "":
                return Clause(attribute, Operator.IN, (value,))
            refuse(path, "a text that spells a number is compared loosely; use `===`")
        is_number = isinstance(value, int | float)
        if attribute == _KEY or not is_number or value == 0:
            refuse(path, f"SDKs differ in what `==` makes of {value!r}; use `===`")
        self._warn(path)
        values: tuple[Scalar, ...] = (int(value),) if value is True else (value,)
        return Clause(attribute, Operator.IN, (*values, True) if value == 1 else values)

    def _ordered(self, word: str, arguments: Sequence[Any], path: str) -> Condition:
        """A number is between others; what is missing is 0."""
        if len(arguments) == 3:
            first, middle, last = arguments
            ordered = (
                self._ordered(word, pair, path) for pair in ((first, middle), (middle, last))
            )
            return AllOf(tuple(ordered))
        if len(arguments) != 2:
            refuse(path, "two or three things are compared")
        tree, bound = arguments
        if not isinstance(tree, dict):
            tree, bound, word = bound, tree, _ORDERS[word][2]
        attribute = _path(tree, path)
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            refuse(path, "only numbers are ordered here, not texts")
        self._warn(path)
        means, test, _ = _ORDERS[word]
        ways: list[Condition] = [Clause(attribute, means, (bound,))]
        truths = tuple(truth for truth in (False, True) if test(truth, bound))
        if truths:
            ways.append(Clause(attribute, Operator.IN, truths))
        if test(0, bound):
            ways.append(Not(Clause(attribute, Operator.EXISTS)))
        return AnyOf(tuple(ways))

    def _warn(self, path: str) -> None:
        self.notes.append(Note(path, "flagd reads numbers in text too; send numbers"))

    def _listed(self, keys: Sequence[str], path: str) -> Condition:
        """The targeting key, which is the unit, is one of these."""
        segment = usable_key(f"{self.flag}.keys-{len(self.segments) + 1}", path)
        self.segments.append(Segment(segment, include=ids_of(filter(None, keys), path)))
        return InSegment(segment)


def _truthy(attribute: tuple[str, ...]) -> Condition:
    falsy = Clause(attribute, Operator.IN, ("", 0, False))
    return AllOf((Clause(attribute, Operator.EXISTS), Not(falsy)))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _path(tree: Any, path: str, *, key: bool = False) -> tuple[str, ...]:
    """The attribute that is asked for; the targeting key only where it may be."""
    word, arguments = operation(tree, path)
    if word != "var" or len(arguments) != 1 or not isinstance(arguments[0], str):
        refuse(path, f"an attribute is compared with a constant, and {word!r} is none")
    names = tuple(arguments[0].split("."))
    if not all(names) or names[0] == "$flagd" or "length" in names:
        refuse(path, f"{arguments[0]!r} is no attribute of a unit")
    if any(read_whole(name) is not None for name in names):
        refuse(path, f"{arguments[0]!r} is an element of a list")
    if names == _KEY and not key:
        refuse(path, "the targeting key is the unit, which is compared with a list of keys only")
    return names
