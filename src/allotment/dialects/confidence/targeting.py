"""A segment's targeting as rules, and back.

What rules cannot say is refused on the way in, by the models. On the way out, a criterion that
this API cannot say names its attribute, and no rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from allotment.dialects.confidence.criteria import (
    SEGMENT,
    ConfidenceCriterion,
    ConfidenceExpression,
    ConfidenceListRule,
    ConfidenceRangeRule,
    ConfidenceTargeting,
    ConfidenceTextRule,
    ConfidenceValue,
)
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

# A targeting that says nothing lets everyone in; an empty list of rules lets no unit in.
EVERYONE: Final[tuple[Condition, ...]] = (AllOf(()),)

_TEXTS: Final = {
    "startsWithRule": Operator.STARTS_WITH,
    "endsWithRule": Operator.ENDS_WITH,
    "containsRule": Operator.CONTAINS,
}
_TEXT_RULES: Final = {operator: word for word, operator in _TEXTS.items()}

_NUMBER, _VERSION = "numberValue", "versionValue"

# The ends of a range: what each is called, and the kind of value that is compared.
_BOUNDS: Final = {
    Operator.AT_LEAST: ("startInclusive", _NUMBER),
    Operator.GREATER: ("startExclusive", _NUMBER),
    Operator.AT_MOST: ("endInclusive", _NUMBER),
    Operator.LESS: ("endExclusive", _NUMBER),
    Operator.SEMVER_AT_LEAST: ("startInclusive", _VERSION),
    Operator.SEMVER_GREATER: ("startExclusive", _VERSION),
    Operator.SEMVER_AT_MOST: ("endInclusive", _VERSION),
    Operator.SEMVER_LESS: ("endExclusive", _VERSION),
}
_OPERATORS: Final = {bound: operator for operator, bound in _BOUNDS.items()}

Rules = tuple[Condition, ...]
_Path = tuple[str, ...]


# In.


def read_targeting(targeting: ConfidenceTargeting | None) -> Rules:
    """The rules that a targeting says."""
    if targeting is None or targeting.expression is None:
        return EVERYONE
    criteria = {name: _criterion(one) for name, one in (targeting.criteria or {}).items()}
    condition = _read(targeting.expression, criteria)
    return condition.conditions if isinstance(condition, AnyOf) else (condition,)


def _read(expression: ConfidenceExpression, criteria: Mapping[str, Condition]) -> Condition:
    word, inner = expression.only
    if word == "ref":
        return criteria[inner]
    if word == "not_":
        return Not(_read(inner, criteria))
    conditions = tuple(_read(one, criteria) for one in inner.operands or ())
    return AllOf(conditions) if word == "and_" else AnyOf(conditions)


def _criterion(criterion: ConfidenceCriterion) -> Condition:
    if criterion.segment is not None:
        return InSegment(criterion.segment.segment.removeprefix(SEGMENT))
    attribute = criterion.attribute
    assert attribute is not None, "there are two kinds of criteria"
    ((word, rule),) = attribute.rules
    return _rule(tuple(attribute.attributeName.split(".")), word, rule)


def _rule(path: _Path, word: str, rule: Any) -> Condition:
    match rule:
        case ConfidenceListRule():
            # A clause holds where it does for any item of a list: that is this very rule.
            return _rule(path, *rule.rule.only)
        case ConfidenceTextRule():
            return Clause(path, _TEXTS[word], (rule.value,))
        case ConfidenceRangeRule():
            clauses = []
            for bound, one in rule.bounds:
                kind, value = _value(one)
                clauses.append(Clause(path, _OPERATORS[bound, kind], (value,)))
            return clauses[0] if len(clauses) == 1 else AllOf(tuple(clauses))
    read = [_value(one) for one in (rule.values if word == "setRule" else [rule.value])]
    operator = Operator.SEMVER_EQUALS if read[0][0] == _VERSION else Operator.IN
    return Clause(path, operator, tuple(value for _, value in read))


def _value(one: ConfidenceValue) -> tuple[str, Scalar]:
    kind, value = one.only
    return kind, value.version if kind == _VERSION else value


# Out: JSON, and nothing is checked, as what is shown may be more than can be sent.


def show_targeting(rules: Rules) -> dict[str, Any]:
    """The targeting that says the rules, or the nearest there is."""
    if rules == EVERYONE:
        return {}
    criteria: dict[str, Any] = {}
    whole = rules[0] if len(rules) == 1 else AnyOf(rules)
    expression = _show(whole, criteria)
    return {"criteria": criteria, "expression": expression}


def _show(condition: Condition, criteria: dict[str, Any]) -> Any:
    """The expression for a condition; its criteria are added to those there are."""
    match condition:
        case Not():
            return {"not": _show(condition.condition, criteria)}
        case InSegment():
            return _ref({"segment": {"segment": f"{SEGMENT}{condition.segment}"}}, criteria)
        case Clause():
            shown = [_ref(one, criteria) for one in _show_clause(condition)]
            return shown[0] if len(shown) == 1 else {"or": {"operands": shown}}
        case AllOf() if both := _show_range(condition):
            return _ref(both, criteria)
    word = "and" if isinstance(condition, AllOf) else "or"
    return {word: {"operands": [_show(one, criteria) for one in condition.conditions]}}


def _ref(criterion: Any, criteria: dict[str, Any]) -> Any:
    name = f"c{len(criteria) + 1}"
    criteria[name] = criterion
    return {"ref": name}


def _attribute(path: _Path, **rule: Any) -> Any:
    return {"attribute": {"attributeName": ".".join(path), **rule}}


def _show_clause(clause: Clause) -> Iterator[Any]:
    """The criteria any of which is the clause."""
    path, operator = clause.attribute, clause.operator
    if operator in (Operator.IN, Operator.SEMVER_EQUALS):
        kind = _VERSION if operator is Operator.SEMVER_EQUALS else ""
        values = [_show_value(value, kind) for value in clause.values]
        if len(values) == 1:
            yield _attribute(path, eqRule={"value": values[0]})
        else:
            yield _attribute(path, setRule={"values": values})
    elif operator in _TEXT_RULES:
        for value in clause.values:
            yield _attribute(path, **{_TEXT_RULES[operator]: {"value": str(value)}})
    elif operator in _BOUNDS:
        for value in clause.values:
            yield _range(path, (operator, value))
    else:
        yield _attribute(path)


def _show_range(both: AllOf) -> Any:
    """The criterion of a range that has a start and an end; None where that is not what it is."""
    if len(both.conditions) != 2:
        return None
    start, end = both.conditions
    if not isinstance(start, Clause) or not isinstance(end, Clause):
        return None
    if start.attribute != end.attribute or len(start.values) != 1 or len(end.values) != 1:
        return None
    one, other = (_BOUNDS.get(clause.operator, ("", "")) for clause in (start, end))
    if not one[0].startswith("start") or not other[0].startswith("end") or one[1] != other[1]:
        return None
    return _range(start.attribute, (start.operator, start.values[0]), (end.operator, end.values[0]))


def _range(path: _Path, *bounds: tuple[Operator, Scalar]) -> Any:
    ends = [(*_BOUNDS[operator], value) for operator, value in bounds]
    return _attribute(path, rangeRule={word: _show_value(each, kind) for word, kind, each in ends})


def _show_value(value: Scalar, kind: str = "") -> Any:
    if kind == _VERSION:
        return {"versionValue": {"version": str(value)}}
    if isinstance(value, bool):
        return {"boolValue": value}
    return {"stringValue" if isinstance(value, str) else _NUMBER: value}
