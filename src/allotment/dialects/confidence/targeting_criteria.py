"""One criterion of a targeting: what is compared with an attribute, and how."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.model.limits import CLAUSE_VALUES_MAX, KEY_BYTES_MAX, NAME_CHARACTERS_MAX
from allotment.model.segment import AllOf, Clause, Condition, InSegment, Operator, Scalar

_KINDS: Final = ("attribute", "segment", "materializedSegment")

_TEXTS: Final = {
    "startsWithRule": Operator.STARTS_WITH,
    "endsWithRule": Operator.ENDS_WITH,
    "containsRule": Operator.CONTAINS,
}
_PLAIN_RULES: Final = ("eqRule", "setRule", "rangeRule", *_TEXTS)
_RULES: Final = (*_PLAIN_RULES, "anyRule", "allRule")

_NUMBER, _VERSION = "numberValue", "versionValue"
_VALUES: Final = ("boolValue", _NUMBER, "stringValue", "timestampValue", _VERSION, "listValue")

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
_STARTS: Final = ("startInclusive", "startExclusive")
_ENDS: Final = ("endInclusive", "endExclusive")

_SEGMENT: Final = "segments/"
_VALUE_MAX: Final = 1024

_Path = tuple[str, ...]


# In.


def read_criterion(place: Place) -> Condition:
    """The condition that a criterion is."""
    kind, inner = _only(place, _KINDS)
    if kind == "segment":
        place = inner.fields(("segment",), ("segment",)).at("segment")
        name = place.text(1, len(_SEGMENT) + KEY_BYTES_MAX)
        if not name.startswith(_SEGMENT):
            raise place.refusal("a segment's name begins with segments/")
        return InSegment(name.removeprefix(_SEGMENT))
    if kind == "materializedSegment":
        raise inner.refusal("there are no materialized segments here")
    inner.fields(("attributeName", *_RULES), ("attributeName",))
    name = inner.at("attributeName").text(0, NAME_CHARACTERS_MAX)
    path = tuple(name.split("."))
    if not all(path):
        raise inner.at("attributeName").refusal("no step of an attribute's path is empty")
    given = [(word, inner.at(word)) for word in _RULES if inner.at(word).given]
    if len(given) != 1:
        raise inner.refusal(f"one rule belongs here: {', '.join(_RULES)}")
    return _read_rule(path, *given[0])


def _read_rule(path: _Path, word: str, place: Place) -> Condition:
    if word == "anyRule":
        # A clause holds where it does for any item of a list: that is this very rule.
        inner = place.fields(("rule",), ("rule",)).at("rule")
        return _read_rule(path, *_only(inner, _PLAIN_RULES))
    if word == "allRule":
        raise place.refusal("that every item of a list meets a rule cannot be said here")
    if word in _TEXTS:
        value = place.fields(("value",), ("value",)).at("value").text(0, _VALUE_MAX)
        return Clause(path, _TEXTS[word], (value,))
    if word == "rangeRule":
        return _read_range(path, place)
    if word == "eqRule":
        values = [place.fields(("value",), ("value",)).at("value")]
    else:
        values = place.fields(("values",), ("values",)).at("values").items(1, CLAUSE_VALUES_MAX)
    read = [_read_value(value) for value in values]
    kinds = {kind == _VERSION for kind, _ in read}
    if len(kinds) > 1:
        raise place.refusal("versions and other values do not go into one rule")
    operator = Operator.SEMVER_EQUALS if kinds == {True} else Operator.IN
    return Clause(path, operator, tuple(value for _, value in read))


def _read_range(path: _Path, place: Place) -> Condition:
    place.fields((*_STARTS, *_ENDS))
    bounds = [(word, value) for word, value in place.entries(1, 2)]
    if len({word in _STARTS for word, _ in bounds}) != len(bounds):
        raise place.refusal("a range has one start, one end, or both")
    clauses: list[Clause] = []
    for word, value in sorted(bounds, key=lambda bound: bound[0] in _ENDS):
        kind, scalar = _read_value(value)
        if (word, kind) not in _OPERATORS:
            raise value.refusal("a range is of numbers or of versions")
        clauses.append(Clause(path, _OPERATORS[word, kind], (scalar,)))
    return clauses[0] if len(clauses) == 1 else AllOf(tuple(clauses))


def _read_value(place: Place) -> tuple[str, Scalar]:
    kind, inner = _only(place, _VALUES)
    if kind == "boolValue":
        return kind, inner.truth()
    if kind == "stringValue":
        return kind, inner.text(0, _VALUE_MAX)
    if kind == _VERSION:
        version = inner.fields(("version",), ("version",)).at("version")
        return kind, version.text(1, _VALUE_MAX)
    if kind == _NUMBER:
        value = inner.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise inner.refusal("a number belongs here")
        return kind, value
    raise inner.refusal("this kind of value cannot be compared here; text, a number, a version can")


def _only(place: Place, known: Collection[str]) -> tuple[str, Place]:
    """The one field of an object that has one of the `known` ones."""
    ((word, inner),) = place.fields(known).entries(1, 1)
    return word, inner


# Out.


def show_clause(clause: Clause) -> Iterator[Tree]:
    """The criteria any of which is the clause."""
    attribute: dict[str, Tree] = {"attributeName": ".".join(clause.attribute)}
    for rule in _show_rules(clause):
        yield {"attribute": {**attribute, **rule}}


def show_range(both: AllOf) -> Tree:
    """The criterion of a range that has a start and an end; None where that is not what it is."""
    if len(both.conditions) != 2:
        return None
    start, end = both.conditions
    if not isinstance(start, Clause) or not isinstance(end, Clause):
        return None
    if start.attribute != end.attribute or len(start.values) != 1 or len(end.values) != 1:
        return None
    one, other = (_BOUNDS.get(clause.operator, ("", "")) for clause in (start, end))
    if one[0] not in _STARTS or other[0] not in _ENDS or one[1] != other[1]:
        return None
    rule: Tree = {
        one[0]: _show_value(start.values[0], one[1]),
        other[0]: _show_value(end.values[0], other[1]),
    }
    return {"attribute": {"attributeName": ".".join(start.attribute), "rangeRule": rule}}


def _show_rules(clause: Clause) -> Iterator[dict[str, Tree]]:
    texts = {operator: word for word, operator in _TEXTS.items()}
    if clause.operator in (Operator.IN, Operator.SEMVER_EQUALS):
        kind = _VERSION if clause.operator is Operator.SEMVER_EQUALS else ""
        values = [_show_value(value, kind) for value in clause.values]
        single = len(values) == 1
        yield {"eqRule": {"value": values[0]}} if single else {"setRule": {"values": values}}
    elif clause.operator in texts:
        for value in clause.values:
            yield {texts[clause.operator]: {"value": str(value)}}
    elif clause.operator in _BOUNDS:
        word, kind = _BOUNDS[clause.operator]
        for value in clause.values:
            yield {"rangeRule": {word: _show_value(value, kind)}}
    else:
        yield {}


def _show_value(value: Scalar, kind: str = "") -> Tree:
    if kind == _VERSION:
        return {_VERSION: {"version": value}}
    if isinstance(value, bool):
        return {"boolValue": value}
    return {"stringValue": value} if isinstance(value, str) else {_NUMBER: value}
