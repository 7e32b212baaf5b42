"""Unleash's constraints: all of them hold, and none holds for what is missing but where inverted.

Its context is text, in which it also finds numbers and versions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from allotment.importers.payload import PayloadPart, array, mapping, part, refuse, usable_key
from allotment.importers.rules import Note
from allotment.importers.values import ids_of
from allotment.matching.semver import precedence
from allotment.model.number import read_whole
from allotment.model.segment import (
    AnyOf,
    Clause,
    Condition,
    InSegment,
    Not,
    Operator,
    Scalar,
    Segment,
)

_TEXTS: Final = {
    "STR_CONTAINS": Operator.CONTAINS,
    "STR_STARTS_WITH": Operator.STARTS_WITH,
    "STR_ENDS_WITH": Operator.ENDS_WITH,
}
_NUMBERS: Final = {
    "NUM_EQ": Operator.IN,
    "NUM_GT": Operator.GREATER,
    "NUM_GTE": Operator.AT_LEAST,
    "NUM_LT": Operator.LESS,
    "NUM_LTE": Operator.AT_MOST,
}
_VERSIONS: Final = {
    "SEMVER_EQ": Operator.SEMVER_EQUALS,
    "SEMVER_GT": Operator.SEMVER_GREATER,
    "SEMVER_LT": Operator.SEMVER_LESS,
}
_DIGITS_MAX: Final = 15


class _Constraint(PayloadPart, frozen=True):
    context_name: str
    operator: str
    values: list[str] | None = None
    value: str | None = None
    inverted: bool = False
    case_insensitive: bool = False


class Constraints:
    """The constraints of one feature, as they are read.

    notes     what must be known of them
    segments  lists of users that they name
    """

    def __init__(self, feature: str, shared: Sequence[Any]) -> None:
        self.feature = feature
        self.shared = shared
        self.notes: list[Note] = []
        self.segments: list[Segment] = []

    def all_of(self, values: Sequence[Any], path: str) -> list[Condition]:
        """A condition for each of the constraints. Raises LeftOut for what cannot be said."""
        return [self._condition(one, f"{path}[{index}]") for index, one in enumerate(values)]

    def segment(self, number: int) -> list[Condition]:
        """The constraints of a shared segment; one that is not there holds for no unit."""
        for index, value in enumerate(self.shared):
            path = f"$.segments[{index}]"
            segment = mapping(value, path)
            if segment.get("id") == number:
                listed = array(segment.get("constraints") or [], f"{path}.constraints")
                return self.all_of(listed, f"{path}.constraints")
        return [AnyOf(())]

    def among(self, name: str, texts: Sequence[str], path: str) -> Condition:
        """The context has one of the texts under the name."""
        if name == "userId":
            segment = usable_key(f"{self.feature}.users-{len(self.segments) + 1}", path)
            self.segments.append(Segment(segment, include=ids_of(filter(None, texts), path)))
            return InSegment(segment)
        values: list[Scalar] = []
        for text in texts:
            values.append(text)
            number = read_whole(text)
            if number is not None and len(text) <= _DIGITS_MAX and str(number) == text:
                values.append(number)
        return Clause(_attribute(name, path), Operator.IN, tuple(values)) if values else AnyOf(())

    def _condition(self, value: Any, path: str) -> Condition:
        one = part(_Constraint, value, path)
        condition = self._plain(one, path)
        return Not(condition) if one.inverted else condition

    def _plain(self, one: _Constraint, path: str) -> Condition:
        texts, word = one.values or [], one.operator
        if word in ("IN", "NOT_IN"):
            among = self.among(one.context_name, texts, path)
            return among if word == "IN" else Not(among)
        attribute = _attribute(one.context_name, path)
        if word in _TEXTS:
            if one.case_insensitive:
                refuse(f"{path}.caseInsensitive", "texts are compared by their case here")
            return Clause(attribute, _TEXTS[word], tuple(texts)) if texts else AnyOf(())
        here = f"{path}.value"
        if word in _NUMBERS:
            self.notes.append(Note(here, "Unleash reads numbers in text too; send numbers"))
            return Clause(attribute, _NUMBERS[word], (_number(one.value, here),))
        if word in _VERSIONS:
            if one.value is None or precedence(one.value) is None:
                refuse(here, f"{one.value!r} is no semantic version")
            return Clause(attribute, _VERSIONS[word], (one.value,))
        return refuse(f"{path}.operator", f"{word!r} is not known here")


def _attribute(name: str, path: str) -> tuple[str]:
    if name in ("userId", "currentTime", ""):
        refuse(f"{path}.contextName", f"{name!r} is no attribute of a unit")
    return (name,)


def _number(text: str | None, path: str) -> float:
    try:
        number = float(text or "")
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        refuse(path, f"{text!r} is no number")
    return number
