"""Segments, whose rules are `match` and `not_match` blocks: changed, and shown.

A rule is the AllOf of its match conditions and, where it has a not_match block, the Not of the
AnyOf of that block's conditions: none of them may hold. `{exists: false}` is the Not of a clause.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from allotment.change.commands import Command, Create, Delete, SetRules
from allotment.dialects.auth0.errors import in_use
from allotment.dialects.auth0.fields import (
    SUBJECT,
    Auth0Labels,
    Auth0LabelsUpdate,
    Auth0Query,
    Moment,
    Next,
    SegmentId,
    ShownName,
    Type,
)
from allotment.dialects.auth0.names import (
    FIELDS,
    check_name_free,
    find,
    noun_at,
    show_named,
    update_labels,
)
from allotment.dialects.wire.model import LEFT_OUT, Body, Maybe, Model, Refusal
from allotment.dialects.wire.notes import json_text
from allotment.dialects.wire.operation import Call, Noun, ReadState
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.spelling import slug
from allotment.model.catalog import Catalog
from allotment.model.segment import AllOf, AnyOf, Clause, Condition, Not, Operator, Segment

_RULE_BYTES_MAX: Final = 4 << 10
_RULES_BYTES_MAX: Final = 10 << 10

SegmentStatus = Literal["active", "archived"]
Attribute = Literal[
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
]


def _at_most(size: int) -> AfterValidator:
    def check(value: Any) -> Any:
        tree = [one.plain() for one in value] if isinstance(value, list) else value.plain()
        found = len(json_text(tree).encode())
        if found > size:
            raise ValueError(f"this has at most {size:,} bytes as JSON, not {found:,}")
        return value

    return AfterValidator(check)


Values = Annotated[list[Annotated[str, Field(max_length=1024)]], Field(min_length=1)]


class Auth0Comparison(Body):
    """A condition on an attribute other than a list of its values: one of these fields."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    contains: Maybe[Values] = LEFT_OUT
    starts_with: Maybe[Values] = LEFT_OUT
    ends_with: Maybe[Values] = LEFT_OUT
    exists: Maybe[bool] = LEFT_OUT

    @model_validator(mode="after")
    def _check_one(self) -> Auth0Comparison:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"one of {', '.join(type(self).model_fields)} belongs here")
        return self


Expression = Annotated[
    Annotated[Values, Tag("values")] | Annotated[Auth0Comparison, Tag("comparison")],
    Discriminator(lambda value: "values" if isinstance(value, list) else "comparison"),
]
Block = Annotated[dict[Attribute, Expression], Field(min_length=1, max_length=10)]


class Auth0Rule(Body):
    """A rule: all conditions of `match` hold, and none of `not_match`."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    match: Maybe[Block] = LEFT_OUT
    not_match: Maybe[Block] = LEFT_OUT

    @model_validator(mode="after")
    def _check_any(self) -> Auth0Rule:
        if not self.model_fields_set:
            raise ValueError("a rule has match, not_match or both")
        return self


Rules = Annotated[
    list[Annotated[Auth0Rule, _at_most(_RULE_BYTES_MAX)]],
    Field(min_length=1),
    _at_most(_RULES_BYTES_MAX),
]


class Auth0SegmentCreate(Auth0Labels):
    """The body that creates a segment."""

    rules: Rules


class Auth0SegmentUpdate(Auth0LabelsUpdate):
    """The body that updates a segment. Rules as they are shown are taken back, `{}` blocks too."""

    rules: Maybe[Rules] = LEFT_OUT
    status: Maybe[SegmentStatus] = LEFT_OUT


class Auth0Segment(Model):
    """A segment. Its rules are shown as nearest where this API cannot say them, or as `{}`."""

    id: SegmentId
    name: ShownName
    description: Maybe[str] = LEFT_OUT
    type: Type
    status: SegmentStatus
    rules: list[dict[str, Any]]
    created_at: Moment
    updated_at: Moment


class Auth0SegmentQuery(Auth0Query):
    """The query of the list of segments."""

    type: Maybe[Type] = LEFT_OUT


class Auth0Segments(Model):
    """A page of segments."""

    segments: list[Auth0Segment]
    next: Next = LEFT_OUT


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
    segment = noun_at("segment", catalog.segments, call.ids, catalog)
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
    segment = find("segment", catalog.segments, call.ids["id"], catalog)
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


def get_segment(state: ReadState, noun: Noun) -> Auth0Segment:
    """A segment."""
    segment, version = state.catalog.segments[noun.key], state.versions[noun.name]
    return Auth0Segment(
        **show_named("segment", segment, version),
        type="self",
        status=shown_segment_status(segment),
        rules=show_rules(segment.rules),
    )


def list_segments(query: Auth0SegmentQuery, state: ReadState) -> Auth0Segments:
    """A page of segments, archived ones among them: there is no other way to find them."""
    found = query.page("segments", state.catalog.segments, lambda _one: query.type != "auth0")
    shown = [get_segment(state, Noun("segment", one.key)) for one in found.items]
    return Auth0Segments(segments=shown, next=found.token)
