"""Confidence's targeting: conditions on attributes, and on other segments.

A value of the context becomes one of the criterion's type before it is compared, so a number is
also its text, and text is also a truth value. A missing attribute, null and whatever does not
become one is the text "null" there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from allotment.importers.confidence_payload import (
    CfBounds,
    CfCriterion,
    CfExpression,
    CfInner,
    CfTargeting,
)
from allotment.importers.payload import part, refuse
from allotment.importers.values import ordered, spelled_by
from allotment.model.segment import AllOf, AnyOf, Clause, Condition, Not, Operator

_TEXTS: Final = {
    "starts_with_rule": Operator.STARTS_WITH,
    "ends_with_rule": Operator.ENDS_WITH,
    "contains_rule": Operator.CONTAINS,
}
_BOUNDS: Final = {
    "start_inclusive": Operator.AT_LEAST,
    "start_exclusive": Operator.GREATER,
    "end_inclusive": Operator.AT_MOST,
    "end_exclusive": Operator.LESS,
}
_TEXT, _NUMBER, _TRUTH = "stringValue", "numberValue", "boolValue"
_SEND_NUMBERS: Final = (
    "send numbers where numbers are compared, and lists of them only where one bound is: text that "
    "spells one counts there, other text is an error for all flags, and one element is in a range"
)
_SEND_TRUTHS: Final = (
    "send truth values where they are compared, and no list where false is: text in it that is not "
    "'true' counts for false there"
)
_TRUE: Final = ("true", "TRUE")  # the texts that are
NO_ONE: Final = AnyOf(())
EVERYONE: Final = AllOf(())


@dataclass(slots=True)
class CfConditions:
    """Reads targetings; `of_segment` gives the condition that another segment stands for.

    `notes` are what must be known of the values that are sent.
    """

    of_segment: Callable[[str, str], Condition]
    notes: set[str] = field(default_factory=set)

    def read(self, targeting: CfTargeting, path: str) -> Condition:
        """The condition that a targeting is."""
        if targeting.expression is None:
            return EVERYONE
        criteria = {
            each.key: (each.value, f"{path}.criteria.{each.key}") for each in targeting.criteria
        }
        return self._expression(targeting.expression, criteria, f"{path}.expression")

    def _expression(
        self, given: Any, criteria: Mapping[str, tuple[CfCriterion, str]], path: str
    ) -> Condition:
        expression = part(CfExpression, given, path)
        word, inner = _only(expression, path)
        if word == "ref":
            # A name that is not there is never met.
            return self._criterion(*criteria[inner]) if inner in criteria else NO_ONE
        if word == "not_":
            return Not(self._expression(inner, criteria, f"{path}.not"))
        here = f"{path}.{word[:-1]}.operands"
        operands = [
            self._expression(each, criteria, f"{here}[{index}]")
            for index, each in enumerate(inner.operands)
        ]
        return AllOf(tuple(operands)) if word == "and_" else AnyOf(tuple(operands))

    def _criterion(self, criterion: CfCriterion, path: str) -> Condition:
        word, inner = _only(criterion, path)
        if word == "materialized_segment":
            refuse(path, "a list of units that the file does not hold")
        if word == "segment":
            return self.of_segment(inner.segment, path)
        steps = tuple(inner.attribute_name.split("."))
        if not all(steps):
            refuse(path, "the attribute has no name")
        return self._rule(steps, inner, path)

    def _rule(self, steps: tuple[str, ...], given: CfInner, path: str) -> Condition:
        word, rule = _only(given, path, "attribute_name")
        if word == "any_rule":
            found = self._rule(steps, rule.rule, path)
            if not isinstance(found, Clause) and found != NO_ONE:
                refuse(path, "it compares each element of a list more than once")
            return found
        if word == "all_rule":
            refuse(path, "a list is compared by any of its elements here, not by all")
        if word in _TEXTS:
            return Clause(steps, _TEXTS[word], (rule.value,))
        if word == "range_rule":
            return self._within(steps, rule, path)
        values = [
            _only_of(each, path) for each in (rule.values if word == "set_rule" else [rule.value])
        ]
        return self._equal(steps, values, path)

    def _equal(
        self, steps: tuple[str, ...], values: Sequence[tuple[str, Any]], path: str
    ) -> Condition:
        """Equal to one of the values; they have the type of the first, or are never met."""
        if not values:
            return NO_ONE
        kind = values[0][0]
        alike = [value for other, value in values if other == kind]
        if kind == _TEXT:
            if "null" in alike:
                refuse(path, 'the text "null" stands for a missing attribute there')
            spelled = [number for number in map(spelled_by, alike) if number is not None]
            return Clause(steps, Operator.IN, (*alike, *spelled))
        if kind == _NUMBER:
            self.notes.add(_SEND_NUMBERS)
            return Clause(steps, Operator.IN, tuple(ordered(value, path) for value in alike))
        if kind != _TRUTH:
            refuse(path, f"a {kind} is compared in a way that differs from ours")
        self.notes.add(_SEND_TRUTHS)
        found = [_truth(steps, value) for value in alike]
        return found[0] if len(found) == 1 else AnyOf(tuple(found))

    def _within(self, steps: tuple[str, ...], bounds: CfBounds, path: str) -> Condition:
        clauses: list[Condition] = []
        for name, operator in _BOUNDS.items():
            given = getattr(bounds, name)
            if given is not None:
                kind, value = _only_of(given, path)
                if kind != _NUMBER:
                    refuse(path, f"the order of a {kind} differs from ours")
                clauses.append(Clause(steps, operator, (ordered(value, path),)))
        self.notes.add(_SEND_NUMBERS)
        if len(clauses) == 1:
            return clauses[0]
        return AllOf(tuple(clauses)) if clauses else NO_ONE


def _truth(steps: tuple[str, ...], value: bool) -> Condition:
    if value:
        return Clause(steps, Operator.IN, (True, *_TRUE))
    text = Clause(steps, Operator.STARTS_WITH, ("",))
    other = AllOf((text, Not(Clause(steps, Operator.IN, _TRUE))))
    return AnyOf((Clause(steps, Operator.IN, (False,)), other))


def _only(given: msgspec.Struct, path: str, *beside: str) -> tuple[str, Any]:
    """The one field of several that is there."""
    names = [name for name in given.__struct_fields__ if name not in beside]
    there = [(name, getattr(given, name)) for name in names if getattr(given, name) is not None]
    if len(there) != 1:
        refuse(path, "it says nothing that is known here, or several things")
    return there[0]


def _only_of(given: Mapping[str, Any], path: str) -> tuple[str, Any]:
    """The type and the value of a value."""
    if len(given) != 1:
        refuse(path, "a value is of one type")
    return next(iter(given.items()))
