"""Fields of feature flags and of their variations."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from allotment.dialects.auth0.schema.fields import (
    Auth0Labels,
    Auth0LabelsUpdate,
    Auth0Query,
    FlagId,
    Moment,
    Next,
    ShownName,
    Type,
    VariationId,
)
from allotment.dialects.wire.model import LEFT_OUT, Body, Maybe, Model
from allotment.dialects.wire.notes import json_text
from allotment.dialects.wire.source import Tree

_PARAMETERS_MAX: Final = 10
_VALUE_BYTES_MAX: Final = 1024

FlagStatus = Literal["draft", "active", "archived"]
ParameterType = Literal["string", "boolean", "number", "array", "object"]
Value = Annotated[Any, Field(description="Any JSON of the parameter's type, at most 1 KB of it.")]


def type_of(value: Tree) -> ParameterType:
    """The type of a JSON value. Null, which this API does not know, is shown as an object."""
    match value:
        case bool():
            return "boolean"
        case str():
            return "string"
        case int() | float():
            return "number"
        case list():
            return "array"
        case _:
            return "object"


def check_value(value: Tree, kind: ParameterType) -> None:
    """Raise ValueError unless the value has the type, and at most 1 KB as JSON."""
    if value is None or type_of(value) != kind:
        raise ValueError(f"a value of type {kind} belongs here")
    if len(json_text(value).encode()) > _VALUE_BYTES_MAX:
        raise ValueError(f"a value has at most {_VALUE_BYTES_MAX:,} bytes as JSON")


class Auth0ShownParameter(Model):
    """A parameter of a feature flag, made by any API."""

    type: ParameterType
    value: Value
    description: Maybe[str] = LEFT_OUT


class Auth0Parameter(Body):
    """A parameter of a feature flag, with its default."""

    type: ParameterType
    value: Value
    description: Maybe[Annotated[str, Field(max_length=255)]] = LEFT_OUT

    @model_validator(mode="after")
    def _check_value(self) -> Auth0Parameter:
        check_value(self.value, self.type)
        return self


class Auth0Override(Body):
    """The value that a variation gives a parameter instead of the default."""

    value: Value


Parameters = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=255)], Auth0Parameter],
    Field(min_length=1, max_length=_PARAMETERS_MAX),
]
Overrides = dict[str, Auth0Override]


class Auth0FlagCreate(Auth0Labels):
    """The body that creates a feature flag."""

    parameters: Parameters


class Auth0FlagUpdate(Auth0LabelsUpdate):
    """The body that updates a feature flag. Parameters as shown are taken back, `{}` too."""

    parameters: Maybe[Parameters] = LEFT_OUT
    status: Maybe[FlagStatus] = LEFT_OUT


class Auth0FlagStatus(Body):
    """The body that moves a feature flag."""

    status: FlagStatus


class Auth0Flag(Model):
    """A feature flag. Its parameters are `{}` where this API cannot say its values."""

    id: FlagId
    name: ShownName
    description: Maybe[str] = LEFT_OUT
    type: Type
    status: FlagStatus
    parameters: dict[str, Auth0ShownParameter]
    created_at: Moment
    updated_at: Moment


class Auth0VariationCreate(Auth0Labels):
    """The body that adds a variation to a feature flag."""

    overrides: Overrides


class Auth0VariationUpdate(Auth0LabelsUpdate):
    """The body that updates a variation."""

    overrides: Maybe[Overrides] = LEFT_OUT


class Auth0Variation(Model):
    """A variation of a feature flag."""

    id: VariationId
    feature_flag_id: FlagId
    name: ShownName
    description: Maybe[str] = LEFT_OUT
    overrides: Overrides
    created_at: Moment
    updated_at: Moment


class Auth0FlagQuery(Auth0Query):
    """The query of the list of feature flags."""

    type: Maybe[Type] = LEFT_OUT
    status: Maybe[FlagStatus] = LEFT_OUT


class Auth0Flags(Model):
    """A page of feature flags."""

    feature_flags: list[Auth0Flag]
    next: Next = LEFT_OUT


class Auth0Variations(Model):
    """All variations of a feature flag, which this API does not page."""

    variations: list[Auth0Variation]
