"""Eppo's targeting: rules, any of which holds, of conditions that all hold.

No condition but IS_NULL holds for an attribute that is missing. Eppo compares the text of a value,
where it is a number or a truth value too; where ours cannot, a note says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from allotment.errors import InvalidInput
from allotment.importers.payload import PayloadPart, part, refuse, usable_key
from allotment.importers.rules import Note
from allotment.importers.values import ids_of, number_of, spelled_by
from allotment.matching.pattern import compile_pattern
from allotment.matching.semver import precedence
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

_NUMBERS: Final = {
    "GTE": Operator.AT_LEAST,
    "GT": Operator.GREATER,
    "LTE": Operator.AT_MOST,
    "LT": Operator.LESS,
}
_VERSIONS: Final = {
    "GTE": Operator.SEMVER_AT_LEAST,
    "GT": Operator.SEMVER_GREATER,
    "LTE": Operator.SEMVER_AT_MOST,
    "LT": Operator.SEMVER_LESS,
}


class _Condition(PayloadPart, frozen=True):
    attribute: str
    operator: str
    value: str | bool | int | float | list[str]


class _Rule(PayloadPart, frozen=True):
    conditions: list[_Condition]


class Targeting:
    """The audiences of one flag, as they are read.

    notes     what must be known of them
    segments  lists of subjects that conditions name
    """

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.segments: list[Segment] = []

    def audience(self, key: str, rules: Sequence[Any] | None, path: str) -> Condition | None:
        """Whom the rules of an allocation are for; None is everyone.

        Raises LeftOut for what cannot be said.
        """
        if not rules:
            return None
        found: list[Condition] = []
        for index, rule in enumerate(rules):
            here = f"{path}[{index}]"
            conditions = part(_Rule, rule, here).conditions
            places = [f"{here}.conditions[{number}]" for number in range(len(conditions))]
            found.append(
                AllOf(tuple(map(self._condition, [key] * len(places), conditions, places)))
            )
        return AnyOf(tuple(found))

    def _condition(self, key: str, condition: _Condition, path: str) -> Condition:
        attribute = (condition.attribute,)
        if not condition.attribute:
            refuse(f"{path}.attribute", "an attribute has a name")
        if condition.attribute == "id":
            return self._subject(key, condition, path)
        there = Clause(attribute, Operator.EXISTS)
        value, here = condition.value, f"{path}.value"
        match condition.operator:
            case "IS_NULL" if isinstance(value, bool):
                return Not(there) if value else there
            case "ONE_OF" if isinstance(value, list):
                return _one_of(attribute, value)
            case "NOT_ONE_OF" if isinstance(value, list):
                return AllOf((there, Not(_one_of(attribute, value))))
            case "MATCHES" if isinstance(value, str):
                return _matches(attribute, value, here, self.notes)
            case "NOT_MATCHES" if isinstance(value, str):
                return AllOf((there, Not(_matches(attribute, value, here, self.notes))))
            case "GTE" | "GT" | "LTE" | "LT" if isinstance(value, str | int | float):
                return _compared(condition, here, self.notes)
            case word:
                return refuse(path, f"{word!r} does not compare with {value!r} here")

    def _subject(self, key: str, condition: _Condition, path: str) -> Condition:
        """A condition on `id`, which is the subject's key where there is no such attribute."""
        texts, word = condition.value, condition.operator
        if not isinstance(texts, list) or word not in ("ONE_OF", "NOT_ONE_OF"):
            message = f"{word!r} cannot compare the key of a unit here; a list of keys can"
            refuse(f"{path}.operator", message)
        listed = ids_of(filter(None, texts), f"{path}.value")
        segment = usable_key(f"{key}.ids-{len(self.segments) + 1}", path)
        self.segments.append(Segment(segment, include=listed))
        missing = Not(Clause(("id",), Operator.EXISTS))
        one_of = AnyOf((_one_of(("id",), texts), AllOf((missing, InSegment(segment)))))
        return one_of if word == "ONE_OF" else Not(one_of)


def _one_of(attribute: tuple[str, ...], texts: Sequence[str]) -> Condition:
    if not texts:
        return AnyOf(())
    values: list[Scalar] = []
    for text in texts:
        values.append(text)
        if text in ("true", "false"):
            values.append(text == "true")
        elif (number := spelled_by(text)) is not None:
            values.append(number)
    return Clause(attribute, Operator.IN, tuple(values))


def _matches(attribute: tuple[str, ...], pattern: str, path: str, notes: list[Note]) -> Condition:
    try:
        compiled = compile_pattern(pattern)
    except InvalidInput as fault:
        refuse(path, fault.message)
    if len(pattern) > 1_024:
        refuse(path, "a pattern has at most 1,024 characters")
    notes.append(Note(path, "Eppo matches the text of numbers too; send text"))
    if any(f"\\{letter}" in pattern for letter in "dDwWsSbB"):
        message = r"\d, \w, \s and \b mean ASCII here, as in most of Eppo's SDKs; some take Unicode"
        notes.append(Note(path, message))
    clauses = [Clause(attribute, Operator.MATCHES, (pattern,))]
    truths = tuple(text == "true" for text in ("true", "false") if compiled.holds(text))
    if truths:
        clauses.append(Clause(attribute, Operator.IN, truths))
    return AnyOf(tuple(clauses))


def _compared(condition: _Condition, path: str, notes: list[Note]) -> Condition:
    value = condition.value
    attribute = (condition.attribute,)
    number = number_of(value) if isinstance(value, str) else value
    if isinstance(number, bool):
        refuse(path, "numbers and versions are compared, not truth values")
    if isinstance(number, int | float):
        notes.append(Note(path, "Eppo reads numbers in text too; send numbers"))
        return Clause(attribute, _NUMBERS[condition.operator], (number,))
    if not isinstance(value, str) or precedence(value) is None or "+" in value:
        refuse(path, f"{value!r} is neither a number nor a semantic version without a build")
    notes.append(Note(path, "Eppo orders the builds of a version, after `+`; here they are equal"))
    return Clause(attribute, _VERSIONS[condition.operator], (value,))
