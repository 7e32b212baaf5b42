"""Fields of segments, and of their allocation."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, Field

from allotment.dialects.confidence.schema.fields import (
    IS_ID,
    OUTPUT_ONLY,
    ConfidenceOrigin,
    Kept,
    Name,
    new_id,
    pattern,
)
from allotment.dialects.confidence.schema.protobuf import As, Edit, Message
from allotment.dialects.confidence.schema.targeting import ConfidenceTargeting
from allotment.dialects.wire.model import LEFT_OUT, Body, Maybe, Model, not_blank
from allotment.model.limits import BUCKETS, TAGS_MAX
from allotment.model.number import read_weight

DECIMALS: Final = 6


def ppm_of(text: str) -> int:
    """The parts per million that a decimal from 0 to 1 is; raises ValueError for another text."""
    ppm = read_weight(text, "") * BUCKETS
    if ppm > BUCKETS or ppm != int(ppm):
        raise ValueError(f'a decimal from "0" to "1" of at most {DECIMALS} decimals belongs here')
    return int(ppm)


def _proportion(text: str) -> str:
    ppm_of(text)
    return text


# Allocations.


class ConfidenceDecimal(Message):
    """A decimal, as text."""

    whole: ClassVar = True

    value: Annotated[
        str,
        Field(min_length=1, max_length=32, examples=["0.5"]),
        AfterValidator(not_blank),
        AfterValidator(_proportion),
    ]


Tags = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=250), AfterValidator(not_blank)]],
    Field(max_length=TAGS_MAX),
]


class ConfidenceAllocation(Message):
    """A share of the units, the tags of the segment, and those it shares no unit with."""

    proportion: ConfidenceDecimal | None = LEFT_OUT
    exclusivityTags: Tags | None = LEFT_OUT
    exclusiveTo: Tags | None = LEFT_OUT


# Segments.


class ConfidenceSegmentFields(Message):
    """What a request may set of a segment."""

    displayName: Name | None = LEFT_OUT
    targeting: ConfidenceTargeting | None = LEFT_OUT
    allocation: ConfidenceAllocation | None = LEFT_OUT
    labels: Kept = LEFT_OUT
    owner: Kept = LEFT_OUT


_OUTPUT_ONLY: Final = (*OUTPUT_ONLY, "state", "bitsetAllocation")


class ConfidenceSegmentCreate(ConfidenceSegmentFields):
    """The body that creates a segment."""

    output_only: ClassVar = _OUTPUT_ONLY


class ConfidenceSegmentEdit(ConfidenceSegmentFields, Edit):
    """The body that changes a segment."""

    output_only: ClassVar = _OUTPUT_ONLY


class ConfidenceSegment(ConfidenceSegmentFields, ConfidenceOrigin):
    """A segment."""

    name: Annotated[str, pattern("^segments/.")]
    displayName: str
    targeting: Annotated[dict[str, Any], As(ConfidenceTargeting)]  # type: ignore[assignment]
    allocation: ConfidenceAllocation
    state: Literal["OK", "UNALLOCATED", "ALLOCATED", "ARCHIVED"]


class ConfidenceSegments(Model):
    """A page of segments."""

    segments: list[ConfidenceSegment]
    nextPageToken: str


class ConfidenceSegmentId(Body):
    """The id of a new segment."""

    segmentId: Maybe[Annotated[str, new_id(), IS_ID]] = LEFT_OUT
