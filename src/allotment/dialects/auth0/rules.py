"""A segment's rules: `match` and `not_match` blocks as conditions, and back exactly as they came.

A rule is the AllOf of its match conditions and, where it has a not_match block, the Not of the
AnyOf of that one's: none of them may hold. `{exists: false}` is the Not of a clause.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from allotment.dialects.auth0.kept import json_text
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.model.segment import AllOf, AnyOf, Clause, Condition, Not, Operator

ATTRIBUTES: Final = (
    "client_id",
    "connection",
    "connection_type",
    "organization_id",
    "domain",
    "device_type",
    "browser",
    "platform",
    "user_agent",
    "country",
    "region",
)

_BLOCKS: Final = ("match", "not_match")
_OPERATORS: Final = (Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH)
_FORMS: Final = (*_OPERATORS, Operator.EXISTS)

_CONDITIONS_MAX: Final = 10
_VALUE_MAX: Final = 1024
_RULE_BYTES_MAX: Final = 4 << 10
_RULES_BYTES_MAX: Final = 10 << 10


def read_rules(place: Place) -> tuple[Condition, ...]:
    """The rules, at least one: each at most 4 KB as JSON, together at most 10 KB."""
    # The sizes bound the number; a rule takes more than ten bytes.
    rules = tuple(map(_read_rule, place.items(1, _RULES_BYTES_MAX // 10)))
    _check_size(place, _RULES_BYTES_MAX)
    return rules


def show_rules(rules: Iterable[Condition]) -> list[Tree]:
    """The rules as this API spells them; of what it cannot say, as much as it can."""
    return [shown for rule in rules for shown in _show_rule(rule)]


def _read_rule(place: Place) -> Condition:
    place.fields(_BLOCKS)
    match, not_match = (place.at(block) for block in _BLOCKS)
    if not match.given and not not_match.given:
        raise place.refusal("a rule has match, not_match or both")
    _check_size(place, _RULE_BYTES_MAX)
    conditions = _read_block(match) if match.given else []
    if not_match.given:
        conditions.append(Not(AnyOf(tuple(_read_block(not_match)))))
    return AllOf(tuple(conditions))


def _check_size(place: Place, most: int) -> None:
    size = len(json_text(place.tree()).encode())
    if size > most:
        raise place.refusal(f"this has at most {most:,} bytes as JSON, not {size:,}")


def _read_block(place: Place) -> list[Condition]:
    place.fields(ATTRIBUTES)
    return [_read_condition(name, one) for name, one in place.entries(1, _CONDITIONS_MAX)]


def _read_condition(attribute: str, place: Place) -> Condition:
    if isinstance(place.value, list):
        return Clause((attribute,), Operator.IN, _read_values(place))
    place.fields(_FORMS)
    ((form, value),) = place.entries(1, 1)
    if form == Operator.EXISTS:
        exists = Clause((attribute,), Operator.EXISTS)
        return exists if value.truth() else Not(exists)
    return Clause((attribute,), Operator(form), _read_values(value))


def _read_values(place: Place) -> tuple[str, ...]:
    # The size of the rule bounds their number.
    return tuple(value.text(0, _VALUE_MAX) for value in place.items(1, _RULE_BYTES_MAX))


def _show_rule(rule: Condition) -> Iterator[Tree]:
    """The rule, or the several that say the same as one that is any of others."""
    if isinstance(rule, AnyOf):
        for inner in rule.conditions:
            yield from _show_rule(inner)
        return
    match: dict[str, Tree] = {}
    not_match: dict[str, Tree] = {}
    for condition in rule.conditions if isinstance(rule, AllOf) else (rule,):
        if isinstance(condition, Not) and not _is_exists(condition.condition):
            inner = condition.condition
            _show_into(not_match, inner.conditions if isinstance(inner, AnyOf) else (inner,))
        else:
            _show_into(match, (condition,))
    blocks = {"match": match, "not_match": not_match}
    shown: dict[str, Tree] = {name: block for name, block in blocks.items() if block}
    yield shown or {"match": {}}


def _show_into(block: dict[str, Tree], conditions: Iterable[Condition]) -> None:
    for condition in conditions:
        negated = isinstance(condition, Not)
        clause = condition.condition if isinstance(condition, Not) else condition
        if isinstance(clause, Clause) and (not negated or _is_exists(clause)):
            block.setdefault(".".join(clause.attribute), _show_expression(clause, negated))


def _show_expression(clause: Clause, negated: bool) -> Tree:
    values: list[Tree] = [
        value if isinstance(value, str) else json.dumps(value) for value in clause.values
    ]
    if clause.operator is Operator.IN:
        return values
    if clause.operator in _OPERATORS:
        return {str(clause.operator): values}
    # Other comparisons cannot be said; all of them need the attribute to be there.
    return {"exists": not negated}


def _is_exists(condition: Condition) -> bool:
    return isinstance(condition, Clause) and condition.operator is Operator.EXISTS
