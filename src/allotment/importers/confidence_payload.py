"""What stands in the state of Confidence's resolvers, as `confidence_state` shows it."""

from __future__ import annotations

from typing import Any

import msgspec

from allotment.importers.payload import PayloadPart


class CfRange(PayloadPart, frozen=True):
    """Buckets from `lower` to below `upper`."""

    lower: int = 0
    upper: int = 0


class CfAssignedVariant(PayloadPart, frozen=True):
    """The variant of an assignment."""

    variant: str = ""


class CfAssignment(PayloadPart, frozen=True):
    """What some buckets have: a variant, the client's default, or the next rule; else nothing."""

    assignment_id: str = ""
    variant: CfAssignedVariant | None = None
    fallthrough: dict[str, Any] | None = None
    client_default: dict[str, Any] | None = None
    bucket_ranges: list[CfRange] = msgspec.field(default_factory=list)


class CfAssignmentSpec(PayloadPart, frozen=True):
    """How a rule deals: the first assignment that has a bucket counts."""

    bucket_count: int = 0
    assignments: list[CfAssignment] = msgspec.field(default_factory=list)


class CfRule(PayloadPart, frozen=True):
    """A rule: which segment it is for, what key it deals by, and how."""

    name: str
    segment: str = ""
    targeting_key_selector: str = ""
    enabled: bool = False
    assignment_spec: CfAssignmentSpec | None = None
    materialization_spec: dict[str, Any] | None = None
    environments: list[str] = msgspec.field(default_factory=list)


class CfVariant(PayloadPart, frozen=True):
    """A variant of a flag."""

    name: str
    value: dict[str, Any] = msgspec.field(default_factory=dict)


class CfFlag(PayloadPart, frozen=True):
    """A flag; the description decides nothing."""

    name: str
    schema: dict[str, Any] = msgspec.field(default_factory=dict)
    variants: list[CfVariant] = msgspec.field(default_factory=list)
    state: int = 0
    rules: list[CfRule] = msgspec.field(default_factory=list)
    clients: list[str] = msgspec.field(default_factory=list)
    description: str = ""


class CfSegmentCriterion(PayloadPart, frozen=True):
    """Another segment."""

    segment: str = ""


class CfText(PayloadPart, frozen=True):
    """A text that another begins with, ends with or contains."""

    value: str = ""


class CfEquals(PayloadPart, frozen=True):
    """A value that is equal."""

    value: dict[str, Any]


class CfSet(PayloadPart, frozen=True):
    """Values of which one is equal."""

    values: list[dict[str, Any]] = msgspec.field(default_factory=list)


class CfBounds(PayloadPart, frozen=True):
    """Values that are above or below."""

    start_inclusive: dict[str, Any] | None = None
    start_exclusive: dict[str, Any] | None = None
    end_inclusive: dict[str, Any] | None = None
    end_exclusive: dict[str, Any] | None = None


class CfInner(PayloadPart, frozen=True):
    """A rule for an element of a list."""

    eq_rule: CfEquals | None = None
    set_rule: CfSet | None = None
    range_rule: CfBounds | None = None
    starts_with_rule: CfText | None = None
    ends_with_rule: CfText | None = None
    contains_rule: CfText | None = None


class CfListRule(PayloadPart, frozen=True):
    """A rule for some or all elements of a list."""

    rule: CfInner


class CfAttribute(CfInner, frozen=True):
    """A rule for an attribute, which is a path with dots."""

    attribute_name: str = ""
    any_rule: CfListRule | None = None
    all_rule: CfListRule | None = None


class CfCriterion(PayloadPart, frozen=True):
    """One of several kinds of conditions."""

    attribute: CfAttribute | None = None
    segment: CfSegmentCriterion | None = None
    materialized_segment: dict[str, Any] | None = None


class CfNamedCriterion(PayloadPart, frozen=True):
    """A criterion and the name that an expression refers to it by."""

    value: CfCriterion
    key: str = ""


class CfOperands(PayloadPart, frozen=True):
    """Expressions under an operator."""

    operands: list[dict[str, Any]] = msgspec.field(default_factory=list)


class CfExpression(PayloadPart, frozen=True):
    """One of these."""

    ref: str | None = None
    not_: dict[str, Any] | None = msgspec.field(name="not", default=None)
    and_: CfOperands | None = msgspec.field(name="and", default=None)
    or_: CfOperands | None = msgspec.field(name="or", default=None)


class CfTargeting(PayloadPart, frozen=True):
    """Whom a segment is for; without an expression, everyone."""

    criteria: list[CfNamedCriterion] = msgspec.field(default_factory=list)
    expression: dict[str, Any] | None = None


class CfAllocation(PayloadPart, frozen=True):
    """Which others a segment is kept apart from."""

    exclusivity_tags: list[str] = msgspec.field(default_factory=list)
    exclusive_to: list[str] = msgspec.field(default_factory=list)


class CfSegment(PayloadPart, frozen=True):
    """A segment."""

    name: str
    targeting: CfTargeting = CfTargeting()
    allocation: CfAllocation = CfAllocation()
    display_name: str = ""


class CfBitset(PayloadPart, frozen=True):
    """The buckets of a segment: all, or bits that are compressed."""

    segment: str = ""
    gzipped_bitset: str | None = None
    full_bitset: bool | None = None


class CfClient(PayloadPart, frozen=True):
    """Who asks for flags; what the service adds to its contexts would decide too."""

    name: str = ""
    managed_context: list[dict[str, Any]] = msgspec.field(default_factory=list)
