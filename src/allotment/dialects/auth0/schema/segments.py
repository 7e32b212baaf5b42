"""Fields of segments."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from allotment.dialects.auth0.schema.fields import (
    Auth0Labels,
    Auth0LabelsUpdate,
    Auth0Query,
    Moment,
    Next,
    SegmentId,
    ShownName,
    Type,
)
from allotment.dialects.wire.model import LEFT_OUT, Body, Maybe, Model
from allotment.dialects.wire.notes import json_text

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
