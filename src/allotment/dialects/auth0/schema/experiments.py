"""Fields of experiments."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from allotment.dialects.auth0.schema.fields import (
    Auth0Labels,
    Auth0LabelsUpdate,
    Auth0Query,
    ExperimentId,
    FlagId,
    Moment,
    Next,
    SegmentId,
    ShownName,
    VariationId,
)
from allotment.dialects.wire.model import (
    EXACT,
    LEFT_OUT,
    WHOLE,
    Body,
    Maybe,
    Model,
    not_blank,
    refused,
)
from allotment.dialects.wire.source import Tree

# The kind of unit whose experiments this API makes.
SUBJECT: Final = "device"

ITEMS_MAX: Final = 20

_LEVELS_MAX: Final = 101

ExperimentStatus = Literal["draft", "active", "paused", "completed", "archived"]
Strategy = Literal["percentage", "segment"]


def _ascending(levels: list[int]) -> list[int]:
    if levels != sorted(set(levels)):
        raise ValueError("levels ascend, each above the one before it")
    return levels


def _few(items: Any) -> Any:
    if isinstance(items, list) and len(items) > ITEMS_MAX:
        message = f"Experiments may have at most {ITEMS_MAX} allocations"
        raise refused("experiment_too_many_allocations", message)
    return items


def _refuse_default_config(_value: Any) -> Any:
    message = "default_config is for feature flags that Auth0 manages; leave it out"
    raise refused("default_config_not_supported", message)


Flow = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(not_blank)]
Percent = Annotated[int, Field(ge=0, le=100), WHOLE]
Levels = Annotated[
    list[Percent],
    Field(min_length=1, max_length=_LEVELS_MAX, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_ascending),
]
# Clients may read it as a 32-bit number.
Priority = Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE]
Weight = Annotated[
    Decimal,
    Field(ge=0, le=100),
    EXACT,
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100}),
]
Snapshot = Annotated[None, Field(description="Always null: none is taken.")]


class Auth0Item(Body):
    """One item of an experiment's allocations: a variation for some devices."""

    variation_id: VariationId
    is_control: bool
    weight: Maybe[Weight] = LEFT_OUT
    segment_id: Maybe[SegmentId] = LEFT_OUT
    priority: Maybe[Priority] = LEFT_OUT
    is_fallback: Maybe[bool] = LEFT_OUT


class Auth0ShownItem(Model):
    """One item as an answer shows it."""

    variation_id: Maybe[VariationId] = LEFT_OUT
    variation_name: Maybe[ShownName] = LEFT_OUT
    segment_id: Maybe[SegmentId] = LEFT_OUT
    segment_name: Maybe[ShownName] = LEFT_OUT
    weight: Maybe[int] = LEFT_OUT
    priority: Maybe[int] = LEFT_OUT
    is_fallback: Maybe[bool] = LEFT_OUT
    is_control: bool
    variation_snapshot: Snapshot
    segment_snapshot: Snapshot


class Auth0Subject(Body):
    """The kind of unit an experiment allocates."""

    subject: str


class Auth0Device(Body):
    """The kind of unit that this API's experiments allocate."""

    subject: Literal["device"]


def said(items: Tree) -> Tree:
    """What a request says where it sends items as they are shown, or leaves out what is usual."""
    if not isinstance(items, list):
        return items
    known = Auth0Item.model_fields
    usual = ("is_fallback", False)
    return [
        {name: value for name, value in item.items() if name in known and (name, value) != usual}
        if isinstance(item, dict)
        else item
        for item in items
    ]


def _or_as_shown(schema: dict[str, Any]) -> None:
    """Let the document say that an update takes back the items as they are shown."""
    sent, shown = dict(schema), {"$ref": "#/components/schemas/Auth0ShownItem"}
    said = "As they are shown, which is no change."
    schema.clear()
    schema["anyOf"] = [sent, {"type": "array", "items": shown, "description": said}]


Items = Annotated[list[Auth0Item], Field(min_length=1), BeforeValidator(_few)]
DefaultConfig = SkipJsonSchema[Annotated[Any, BeforeValidator(_refuse_default_config)]]


class Auth0ExperimentCreate(Auth0Labels):
    """The body that creates an experiment."""

    feature_flag_id: FlagId
    authentication_flow: Flow
    assignment_config: Maybe[Auth0Device] = LEFT_OUT
    allocation_strategy: Maybe[Strategy] = LEFT_OUT
    allocations: Maybe[Items] = LEFT_OUT
    default_config: DefaultConfig = None
    levels: Levels | None = LEFT_OUT


class Auth0ExperimentUpdate(Auth0LabelsUpdate):
    """The body that updates an experiment."""

    authentication_flow: Maybe[Flow] = LEFT_OUT
    assignment_config: Maybe[Auth0Subject] = LEFT_OUT
    allocations: Maybe[Annotated[Items, Field(json_schema_extra=_or_as_shown)]] = LEFT_OUT
    default_config: DefaultConfig = None
    levels: Levels | None = LEFT_OUT
    status: Maybe[ExperimentStatus] = LEFT_OUT

    compared: ClassVar = {"allocations": said}


class Auth0ExperimentStatus(Body):
    """The body that moves an experiment."""

    status: ExperimentStatus


class Auth0Experiment(Model):
    """An experiment, with what any generation of the API shows."""

    id: ExperimentId
    name: ShownName
    description: Maybe[str] = LEFT_OUT
    feature_flag_id: FlagId
    feature_flag_name: Maybe[ShownName] = LEFT_OUT
    authentication_flow: Flow
    allocation_strategy: Strategy
    assignment_config: Auth0Subject
    status: ExperimentStatus
    is_valid: bool
    allocations: list[Auth0ShownItem]
    editable_fields: list[str]
    feature_flag_snapshot: Snapshot
    current_level: Percent | None
    created_at: Moment
    updated_at: Moment
    levels: Maybe[Levels] = LEFT_OUT
    started_at: Maybe[Moment] = LEFT_OUT
    ended_at: Maybe[Moment] = LEFT_OUT


class Auth0Obstacle(Model):
    """One thing that keeps an experiment from being activated."""

    code: str
    message: str


class Auth0Validation(Model):
    """Everything that keeps an experiment from being activated."""

    is_valid: bool
    errors: list[Auth0Obstacle]


class Auth0RampTarget(Body):
    """The body that raises an experiment's exposure."""

    target_level: Percent


class Auth0Ramp(Model):
    """Where a ramp was, and where it is."""

    experiment_id: ExperimentId
    from_level: Percent
    to_level: Percent
    current_level: Percent


class Auth0ExperimentQuery(Auth0Query):
    """The query of the list of experiments."""

    status: Maybe[ExperimentStatus] = LEFT_OUT
    authentication_flow: Maybe[str] = LEFT_OUT
    feature_flag_id: Maybe[str] = LEFT_OUT


class Auth0Experiments(Model):
    """A page of experiments."""

    experiments: list[Auth0Experiment]
    next: Next = LEFT_OUT
