"""The rules of a segment in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, assert_never

from allotment.model.segment import (
    AllOf,
    AnyOf,
    Clause,
    Condition,
    InSegment,
    Not,
    Operator,
    Scalar,
)

_VALUES_MAX: Final = 20

_WORDS: Final = {
    Operator.IN: "is",
    Operator.CONTAINS: "contains",
    Operator.STARTS_WITH: "starts with",
    Operator.ENDS_WITH: "ends with",
    Operator.MATCHES: "matches the pattern",
    Operator.EXISTS: "is there",
    Operator.LESS: "is less than",
    Operator.AT_MOST: "is at most",
    Operator.GREATER: "is greater than",
    Operator.AT_LEAST: "is at least",
    Operator.SEMVER_EQUALS: "is version",
    Operator.SEMVER_LESS: "is a version before",
    Operator.SEMVER_AT_MOST: "is a version up to",
    Operator.SEMVER_GREATER: "is a version after",
    Operator.SEMVER_AT_LEAST: "is a version from",
}


@dataclass(frozen=True, slots=True)
class RuleWords:
    """A condition in words, with those that it consists of; `segment` is one that it leads to."""

    text: str
    parts: tuple[RuleWords, ...] = ()
    segment: str = ""


def rule_words(condition: Condition) -> RuleWords:
    """A condition in words."""
    match condition:
        case Clause():
            return RuleWords(_clause(condition))
        case AllOf(conditions):
            return RuleWords("all of these hold:", tuple(map(rule_words, conditions)))
        case AnyOf(conditions):
            return RuleWords("at least one of these holds:", tuple(map(rule_words, conditions)))
        case Not(Clause(operator=Operator.EXISTS) as clause):
            return RuleWords(f"{'.'.join(clause.attribute)} is not there")
        case Not(inner):
            return RuleWords("this does not hold:", (rule_words(inner),))
        case InSegment(key):
            return RuleWords("the unit is in segment", (), key)
        case _:
            assert_never(condition)


def _clause(clause: Clause) -> str:
    values = [_value(each) for each in clause.values[:_VALUES_MAX]]
    more = len(clause.values) - len(values)
    said = " or ".join(values) + (f" or one of {more:,} more" if more else "")
    return f"{'.'.join(clause.attribute)} {_WORDS[clause.operator]} {said}".rstrip()


def _value(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"“{value}”" if isinstance(value, str) else f"{value}"
