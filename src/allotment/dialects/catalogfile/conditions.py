"""Conditions: the rules of a segment, in the file and back."""

from __future__ import annotations

from typing import Final, assert_never

from allotment.dialects.catalogfile.cursor import Cursor, Tree
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

_FORMS: Final = ("attribute", "segment", "all", "any", "not")
_OPERATORS: Final = ("equals", *(str(operator) for operator in Operator))
_CLAUSE: Final = ("attribute", *_OPERATORS)


def read_condition(place: Cursor) -> Condition:
    """The condition at `place`: one comparison of an attribute, a segment, or all, any, not."""
    place.fields((*_FORMS, *_OPERATORS))
    if place.at("attribute").given:
        return _read_clause(place)
    forms = [form for form in _FORMS if place.at(form).given]
    if len(forms) != 1 or len(place.parts()) != 1:
        raise place.refusal("a condition has one of: attribute, segment, all, any, not")
    inner = place.at(forms[0])
    match forms[0]:
        case "segment":
            return InSegment(inner.key())
        case "not":
            return Not(read_condition(inner))
        case "all":
            return AllOf(tuple(map(read_condition, inner.items())))
        case _:
            return AnyOf(tuple(map(read_condition, inner.items())))


def show_condition(condition: Condition) -> Tree:
    """The condition as the file spells it."""
    match condition:
        case Clause():
            return _show_clause(condition)
        case InSegment(segment):
            return {"segment": segment}
        case Not(Clause(operator=Operator.EXISTS) as clause):
            return {**_show_clause(clause), "exists": False}
        case Not(inner):
            return {"not": show_condition(inner)}
        case AllOf(conditions):
            return {"all": [show_condition(each) for each in conditions]}
        case AnyOf(conditions):
            return {"any": [show_condition(each) for each in conditions]}
        case _:
            assert_never(condition)


def _read_clause(place: Cursor) -> Condition:
    place.fields(_CLAUSE)
    said = [name for name in _OPERATORS if place.at(name).given]
    if len(said) != 1:
        there = " and ".join(said) if said else "none"
        raise place.refusal(
            f"a condition on an attribute has one comparison, such as `in` or `at_least`; "
            f"this has {there}"
        )
    attribute, comparison = _read_attribute(place.at("attribute")), place.at(said[0])
    if said[0] == Operator.EXISTS:
        exists = Clause(attribute, Operator.EXISTS)
        return exists if comparison.truth(True) else Not(exists)
    if said[0] == "equals":
        return Clause(attribute, Operator.IN, (_read_scalar(comparison),))
    operator = Operator(said[0])
    several = isinstance(comparison.value, list)
    places = comparison.items() if several else [comparison]
    if not places:
        raise comparison.refusal("this list is empty, so the condition never holds; drop it")
    return Clause(attribute, operator, tuple(_read_scalar(each) for each in places))


def _show_clause(clause: Clause) -> dict[str, Tree]:
    parts = clause.attribute
    simple = all(part and "." not in part for part in parts)
    shown: dict[str, Tree] = {"attribute": ".".join(parts) if simple else list(parts)}
    if clause.operator is Operator.EXISTS:
        shown["exists"] = True
    elif len(clause.values) == 1:
        name = "equals" if clause.operator is Operator.IN else str(clause.operator)
        shown[name] = clause.values[0]
    else:
        shown[str(clause.operator)] = list(clause.values)
    return shown


def _read_attribute(place: Cursor) -> tuple[str, ...]:
    """A path: text with dots, or a list of keys where a key itself holds a dot."""
    if isinstance(place.value, list):
        parts = [part.text() for part in place.items()]
    else:
        parts = place.text().split(".")
    if not parts or not all(parts):
        raise place.refusal("an attribute is named by a path of keys, none of them empty")
    return tuple(parts)


def _read_scalar(place: Cursor) -> Scalar:
    if not isinstance(place.value, str | int | float):
        raise place.wrong("text, a number, true or false")
    return place.value
