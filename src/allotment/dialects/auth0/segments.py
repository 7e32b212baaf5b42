"""Changes of segments, whose rules are `match` and `not_match` blocks.

A rule is the AllOf of its match conditions and, where it has a not_match block, the Not of the
AnyOf of that block's conditions: none of them may hold. `{exists: false}` is the Not of a clause.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from allotment.change.commands import Command, Create, Delete, SetRules
from allotment.dialects.auth0.errors import in_use
from allotment.dialects.auth0.ids import find_segment, get_segment
from allotment.dialects.auth0.labels import FIELDS, check_name_free, update_labels
from allotment.dialects.auth0.schema.experiments import SUBJECT
from allotment.dialects.auth0.schema.segments import (
    Auth0Comparison,
    Auth0Rule,
    Auth0SegmentCreate,
    Auth0SegmentUpdate,
    Block,
    SegmentStatus,
)
from allotment.dialects.wire.operation import Call
from allotment.dialects.wire.refusal import Refusal
from allotment.dialects.wire.slug import slug
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.segment import AllOf, AnyOf, Clause, Condition, Not, Operator, Segment

_STATUS: Final = "status"
_COMPARISONS: Final = (Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH)


def create_segment(call: Call[Auth0SegmentCreate], catalog: Catalog) -> list[Command]:
    """Create a segment."""
    body = call.body
    check_name_free("segment", body.name, catalog.segments)
    key = slug(body.name, catalog.segments.__contains__, "segment")
    rules = rules_of(body.rules)
    return [Create(Segment(key, body.name, body.description or "", SUBJECT, rules=rules))]


def update_segment(call: Call[Auth0SegmentUpdate], catalog: Catalog) -> list[Command]:
    """Edit a segment, then archive it if the body says so."""
    body = call.body
    segment = get_segment(catalog, call.ids["id"])
    commands = [*update_labels("segment", segment, body, catalog.segments)]
    if body.rules is not None:
        commands.append(SetRules(segment.key, rules_of(body.rules)))
    if body.status == "active":
        message = "An archived segment cannot be active again"
        raise Refusal(400, "segment_archived", message, "$.status")
    if body.status is not None:
        commands.append(FIELDS.keep("segment", segment.key, _STATUS, body.status))
    return commands


def delete_segment(call: Call[None], catalog: Catalog) -> list[Command]:
    """Delete a segment, if it is there."""
    segment = find_segment(catalog, call.ids["id"])
    if segment is None:
        return []
    if catalog.users.get(f"segment:{segment.key}"):
        raise in_use("segment", "an experiment that is not archived allocates it")
    return [Delete("segment", segment.key)]


def shown_segment_status(segment: Segment) -> SegmentStatus:
    """The status. The model has none: "archived" is stored with the segment and decides nothing."""
    return "archived" if FIELDS.kept(segment, _STATUS) == "archived" else "active"


def rules_of(rules: Iterable[Auth0Rule]) -> tuple[Condition, ...]:
    """The rules as conditions."""
    return tuple(map(_condition_of, rules))


def show_rules(rules: Iterable[Condition]) -> list[dict[str, Any]]:
    """The conditions as this API spells them; of what it cannot say, as much as it can."""
    return [shown for rule in rules for shown in _show_rule(rule)]


def _condition_of(rule: Auth0Rule) -> Condition:
    conditions = _clauses_of(rule.match)
    if rule.not_match is not None:
        conditions.append(Not(AnyOf(tuple(_clauses_of(rule.not_match)))))
    return AllOf(tuple(conditions))


def _clauses_of(block: Block | None) -> list[Condition]:
    return [_clause_of(attribute, expression) for attribute, expression in (block or {}).items()]


def _clause_of(attribute: str, expression: list[str] | Auth0Comparison) -> Condition:
    if isinstance(expression, list):
        return Clause((attribute,), Operator.IN, tuple(expression))
    if expression.exists is not None:
        exists = Clause((attribute,), Operator.EXISTS)
        return exists if expression.exists else Not(exists)
    ((form, values),) = expression.plain().items()
    return Clause((attribute,), Operator(form), tuple(values))


def _show_rule(rule: Condition) -> Iterator[dict[str, Tree]]:
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
    if clause.operator in _COMPARISONS:
        return {str(clause.operator): values}
    # Other comparisons cannot be said; all of them need the attribute to be there.
    return {"exists": not negated}


def _is_exists(condition: Condition) -> bool:
    return isinstance(condition, Clause) and condition.operator is Operator.EXISTS
