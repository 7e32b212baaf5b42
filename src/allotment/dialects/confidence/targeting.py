"""A segment's targeting: criteria by name, and an expression over them, as rules and back.

What cannot be said in rules is refused on the way in. On the way out, a criterion that this API
cannot say names its attribute, and no rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from allotment.dialects.confidence.targeting_criteria import read_criterion, show_clause, show_range
from allotment.dialects.wire.notes import json_text
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.model.limits import KEPT_CHARACTERS_MAX, RULES_MAX
from allotment.model.segment import AllOf, AnyOf, Clause, Condition, InSegment, Not

# A targeting that says nothing lets everyone in; rules, of which there are none, let nobody in.
EVERYONE: Final[tuple[Condition, ...]] = (AllOf(()),)

_WORDS: Final = ("ref", "not", "and", "or")

Rules = tuple[Condition, ...]


def read_targeting(place: Place) -> Rules:
    """The rules that a targeting says."""
    place.fields(("criteria", "expression"))
    if len(json_text(place.tree())) > KEPT_CHARACTERS_MAX:
        raise place.refusal(f"a targeting has at most {KEPT_CHARACTERS_MAX:,} characters as JSON")
    criteria: dict[str, Condition] = {}
    if place.at("criteria").given:
        for name, criterion in place.at("criteria").entries(0, RULES_MAX):
            criteria[name] = read_criterion(criterion)
    expression = place.at("expression")
    if expression.given and expression.entries(0, 1):
        condition = _read(expression, criteria)
        return condition.conditions if isinstance(condition, AnyOf) else (condition,)
    if criteria:
        raise expression.refusal("an expression says how the criteria go together; give one")
    return EVERYONE


def show_targeting(rules: Rules) -> dict[str, Tree]:
    """The targeting that says the rules, or the nearest there is."""
    if rules == EVERYONE:
        return {}
    criteria: dict[str, Tree] = {}
    whole = rules[0] if len(rules) == 1 else AnyOf(rules)
    expression = _show(whole, criteria)
    return {"criteria": criteria, "expression": expression}


def _read(place: Place, criteria: Mapping[str, Condition]) -> Condition:
    place.fields(_WORDS)
    ((word, inner),) = place.entries(1, 1)
    if word == "ref":
        name = inner.text(1, KEPT_CHARACTERS_MAX)
        if name not in criteria:
            raise inner.refusal("there is no criterion of this name")
        return criteria[name]
    if word == "not":
        return Not(_read(inner, criteria))
    operands = inner.fields(("operands",)).at("operands")
    items = operands.items(0, KEPT_CHARACTERS_MAX) if operands.given else []
    conditions = tuple(_read(item, criteria) for item in items)
    return AllOf(conditions) if word == "and" else AnyOf(conditions)


def _show(condition: Condition, criteria: dict[str, Tree]) -> Tree:
    """The expression for a condition; its criteria are added to those there are."""
    if isinstance(condition, Not):
        return {"not": _show(condition.condition, criteria)}
    if isinstance(condition, InSegment):
        return _ref({"segment": {"segment": f"segments/{condition.segment}"}}, criteria)
    if isinstance(condition, Clause):
        shown: list[Tree] = [_ref(one, criteria) for one in show_clause(condition)]
        return shown[0] if len(shown) == 1 else {"or": {"operands": shown}}
    if isinstance(condition, AllOf) and (both := show_range(condition)):
        return _ref(both, criteria)
    word = "and" if isinstance(condition, AllOf) else "or"
    return {word: {"operands": [_show(one, criteria) for one in condition.conditions]}}


def _ref(criterion: Tree, criteria: dict[str, Tree]) -> dict[str, Tree]:
    name = f"c{len(criteria) + 1}"
    criteria[name] = criterion
    return {"ref": name}
