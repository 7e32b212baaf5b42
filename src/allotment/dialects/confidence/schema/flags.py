"""Fields of flags and of their variants."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from allotment.dialects.confidence.schema.fields import (
    IS_ID,
    OUTPUT_ONLY,
    ConfidenceOrigin,
    Kept,
    Text,
    new_id,
    pattern,
)
from allotment.dialects.confidence.schema.protobuf import As, Edit, Message, Open
from allotment.dialects.wire.model import LEFT_OUT, Body, Maybe, Model, not_blank
from allotment.dialects.wire.notes import json_text
from allotment.model.limits import TEXT_CHARACTERS_MAX

VARIANTS_MAX: Final = 100
VALUE_CHARACTERS_MAX: Final = 65_536

# What is set by calls of their own, or in another way here.
_ELSEWHERE: Final = {
    "variants": "variants are changed one at a time, by calls of their own",
    "rules": "a rule is made by an instance of the workflow abtest",
    "clients": "every client whose secret reaches this space resolves the flag; there is no list",
}


def _value(value: dict[str, Any]) -> dict[str, Any]:
    if len(json_text(value)) > VALUE_CHARACTERS_MAX:
        raise ValueError(f"a value has at most {VALUE_CHARACTERS_MAX:,} characters as JSON")
    return value


def _empty(name: str) -> AfterValidator:
    def check(value: Any) -> None:
        if value not in (None, []):
            raise ValueError(_ELSEWHERE[name])

    return AfterValidator(check)


# What a request may repeat of a flag.
_OUTPUT_ONLY: Final = (*OUTPUT_ONLY, "state", "usageMetadata")

_NONE: Final = WithJsonSchema({"type": ["array", "null"], "maxItems": 0})

Value = Annotated[dict[str, Any], AfterValidator(_value)]
VariantName = Annotated[
    str, Field(min_length=1, max_length=TEXT_CHARACTERS_MAX), AfterValidator(not_blank)
]


class ConfidenceVariantFields(Message):
    """What a request may set of a variant beside its value."""

    description: Text | None = LEFT_OUT
    labels: Kept = LEFT_OUT


class ConfidenceVariantCreate(ConfidenceVariantFields):
    """The body that adds a variant."""

    output_only: ClassVar = OUTPUT_ONLY

    value: Value


class ConfidenceNewVariant(ConfidenceVariantFields):
    """A variant of a new flag."""

    output_only: ClassVar = tuple(ConfidenceOrigin.model_fields)

    name: VariantName
    value: Value


class ConfidenceVariantEdit(ConfidenceVariantFields, Edit):
    """The body that changes a variant."""

    output_only: ClassVar = OUTPUT_ONLY

    value: Maybe[Value] = LEFT_OUT


class ConfidenceVariant(ConfidenceVariantFields, ConfidenceOrigin):
    """A variant of a flag."""

    name: Annotated[str, pattern("^flags/[^/]+/variants/.")]
    value: dict[str, Any]
    description: str


class ConfidenceVariants(Model):
    """The variants of a flag."""

    variants: list[ConfidenceVariant]
    nextPageToken: str


class ConfidenceVariantId(Body):
    """The id of a new variant."""

    variantId: Maybe[Annotated[str, new_id(), IS_ID]] = LEFT_OUT


# The types of the fields of values.


class ConfidenceListType(Open):
    """A list of values."""

    elementSchema: ConfidenceType | Any = LEFT_OUT


class ConfidenceStruct(Open):
    """The types of a value's fields, by name."""

    schema_: Annotated[dict[str, ConfidenceType] | Any, Field(alias="schema")] = LEFT_OUT


class ConfidenceType(Open):
    """The type of a field."""

    boolSchema: Any = LEFT_OUT
    intSchema: Any = LEFT_OUT
    doubleSchema: Any = LEFT_OUT
    stringSchema: Any = LEFT_OUT
    structSchema: ConfidenceStruct | Any = LEFT_OUT
    listSchema: ConfidenceListType | Any = LEFT_OUT


for _each in (ConfidenceListType, ConfidenceStruct, ConfidenceType):
    _each.model_rebuild()


# Flags.


class ConfidenceFlagFields(Message):
    """What a request may set of a flag; nothing here is decided by what it keeps."""

    description: Text | None = LEFT_OUT
    schema_: Annotated[Kept, As(ConfidenceStruct), Field(alias="schema")] = LEFT_OUT
    labels: Kept = LEFT_OUT
    owner: Kept = LEFT_OUT


class ConfidenceFlagCreate(ConfidenceFlagFields):
    """The body that creates a flag."""

    output_only: ClassVar = _OUTPUT_ONLY

    variants: Annotated[list[ConfidenceNewVariant], Field(max_length=VARIANTS_MAX)] | None = (
        LEFT_OUT
    )
    rules: Annotated[Any, _empty("rules"), _NONE] = LEFT_OUT
    clients: Annotated[Any, _empty("clients"), _NONE] = LEFT_OUT


class ConfidenceFlagEdit(ConfidenceFlagFields, Edit):
    """The body that changes a flag."""

    output_only: ClassVar = _OUTPUT_ONLY
    elsewhere: ClassVar = _ELSEWHERE


class ConfidenceBuckets(Model):
    """Buckets, of which the upper is the first that is not among them."""

    lower: int
    upper: int


class ConfidenceVariantOf(Model):
    """The variant that an assignment gives."""

    variant: str


class ConfidenceAssignment(Model):
    """What a rule gives in some of its buckets."""

    assignmentId: str
    variant: ConfidenceVariantOf
    bucketRanges: list[ConfidenceBuckets]


class ConfidenceAssignmentSpec(Model):
    """How a rule splits its units."""

    bucketCount: int
    assignments: list[ConfidenceAssignment]


class ConfidenceRule(Model):
    """A rule of a flag: one of its experiments."""

    name: Annotated[str, pattern("^flags/[^/]+/rules/.")]
    segment: str
    enabled: bool
    targetingKeySelector: str
    assignmentSpec: ConfidenceAssignmentSpec


class ConfidenceFlag(ConfidenceFlagFields, ConfidenceOrigin):
    """A flag."""

    name: Annotated[str, pattern("^flags/.")]
    description: str
    schema_: Annotated[dict[str, Any], As(ConfidenceStruct)] = Field(alias="schema")
    variants: list[ConfidenceVariant]
    rules: list[ConfidenceRule]
    clients: list[str]
    state: Literal["ACTIVE", "ARCHIVED"]


class ConfidenceFlags(Model):
    """A page of flags."""

    flags: list[ConfidenceFlag]
    nextPageToken: str


class ConfidenceFlagId(Body):
    """The id of a new flag."""

    flagId: Maybe[Annotated[str, new_id(4), IS_ID]] = LEFT_OUT
