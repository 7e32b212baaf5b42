"""Flags, which are on from the first: changed, and shown."""

from __future__ import annotations

from itertools import accumulate
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from allotment.change.commands import Command, Create, Describe, SwitchFlag
from allotment.dialects.confidence.fields import (
    IS_ID,
    OUTPUT_ONLY,
    ConfidenceNothing,
    ConfidenceOrigin,
    ConfidencePage,
    Kept,
    Text,
    id_form,
    pattern,
)
from allotment.dialects.confidence.names import (
    NOTES,
    Values,
    flag_name,
    labels_of,
    new_id,
    noun_at,
    rule_name,
    segment_name,
    selector_of,
    show_origin,
    variant_name,
)
from allotment.dialects.confidence.protobuf import As, Edit, Message, Open
from allotment.dialects.confidence.values import SCHEMA, schema_of
from allotment.dialects.confidence.variants import (
    VARIANTS_MAX,
    ConfidenceNewVariant,
    ConfidenceVariant,
    list_variants,
)
from allotment.dialects.wire.model import LEFT_OUT, Body, Maybe, Model, must
from allotment.dialects.wire.notes import json_text
from allotment.dialects.wire.operation import Call, Noun, ReadState
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment
from allotment.model.experiment import State as Stage
from allotment.model.flag import CLIENT_DEFAULT, Flag, FlagState, Variation
from allotment.model.stage import profile_of

# What is set by calls of their own, or in another way here.
_ELSEWHERE: Final = {
    "variants": "variants are changed one at a time, by calls of their own",
    "rules": "a rule is made by an instance of the workflow abtest",
    "clients": "every client whose secret reaches this space resolves the flag; there is no list",
}


def _empty(name: str) -> AfterValidator:
    return must(lambda value: value in (None, []), _ELSEWHERE[name])


# What a request may repeat of a flag.
_OUTPUT_ONLY: Final = (*OUTPUT_ONLY, "state", "usageMetadata")

_NONE: Final = WithJsonSchema({"type": ["array", "null"], "maxItems": 0})


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

    flagId: Maybe[Annotated[str, id_form(4), IS_ID]] = LEFT_OUT


# Where each field that decides nothing is kept.
_KEPT: Final = {"schema_": SCHEMA, "labels": "labels", "owner": "owner"}


def create_flag(
    call: Call[ConfidenceFlagCreate], catalog: Catalog, query: ConfidenceFlagId
) -> list[Command]:
    """Create a flag, perhaps with variants. It is on at once."""
    body = call.body
    key = new_id(query.flagId, "flag", catalog.flags, call)
    notes: Values = {where: getattr(body, name) for name, where in _KEPT.items()}
    variations = [Variation(CLIENT_DEFAULT, "{}")]
    for index, one in enumerate(body.variants or ()):
        path = f"$.variants[{index}].name"
        variant = _variant_key(one, path, key, {each.key for each in variations})
        text = json_text(one.value)
        variations.append(Variation(variant, text, description=one.description or ""))
        notes[labels_of(variant)] = one.labels
    text = body.description or ""
    kept = NOTES.on_new(notes)
    return [Create(Flag(key, tuple(variations), CLIENT_DEFAULT, description=text, kept=kept))]


def update_flag(call: Call[ConfidenceFlagEdit], catalog: Catalog) -> list[Command]:
    """Change what a mask names of a flag, or else what the body gives."""
    key, body = noun_at("flag", catalog.flags, call.ids).key, call.body
    commands: list[Command] = []
    if "description" in body.model_fields_set:
        commands.append(Describe("flag", key, body.description or ""))
    for name, where in _KEPT.items():
        if name in body.model_fields_set:
            commands.append(NOTES.keep("flag", key, where, getattr(body, name)))
    return commands


def archive_flag(call: Call[ConfidenceNothing], catalog: Catalog) -> list[Command]:
    """Archive a flag, for good."""
    return [SwitchFlag(noun_at("flag", catalog.flags, call.ids).key, FlagState.ARCHIVED)]


def _variant_key(one: ConfidenceNewVariant, path: str, flag: str, taken: set[str]) -> str:
    """The key of a variant that is created with its flag."""
    key = one.name.removeprefix(f"{flag_name(flag)}/variants/")
    if key in (one.name, ""):
        message = "a name like flags/FLAG/variants/VARIANT belongs here, of this flag"
        raise InvalidInput(message, path)
    if key in taken:
        raise InvalidInput("another variant has this name", path)
    return key


def list_flags(query: ConfidencePage, state: ReadState) -> ConfidenceFlags:
    """A page of flags, archived ones among them."""
    found = query.page("flags", state.catalog.flags, lambda _one: True)
    flags = [get_flag(state, Noun("flag", one.key)) for one in found.items]
    return ConfidenceFlags(flags=flags, nextPageToken=found.token or "")


def get_flag(state: ReadState, noun: Noun) -> ConfidenceFlag:
    """A flag. One that is off is not archived, so it is active."""
    flag, version = state.catalog.flags[noun.key], state.versions[noun.name]
    experiments = [state.catalog.experiments[one.experiment] for one in flag.experiments]
    return ConfidenceFlag(
        name=flag_name(flag.key),
        description=flag.description,
        labels=NOTES.kept(flag, "labels"),
        owner=NOTES.kept(flag, "owner"),
        schema={"schema": schema_of(flag)},
        variants=list_variants(state, noun).variants,
        rules=[show_rule(flag, one) for one in experiments],
        clients=[],
        state="ARCHIVED" if flag.state is FlagState.ARCHIVED else "ACTIVE",
        **show_origin(version),
    )


def show_rule(flag: Flag, experiment: Experiment) -> ConfidenceRule:
    """The rule that the experiment is, as near as one rule comes to it."""
    iteration = experiment.current
    audience = iteration.audience
    live = iteration.state in (Stage.RUNNING, Stage.PAUSED) and not experiment.archived
    return ConfidenceRule(
        name=rule_name(flag.key, experiment.key),
        segment="" if audience is None else segment_name(audience),
        enabled=live,
        targetingKeySelector=selector_of(experiment.unit),
        assignmentSpec=_show_spec(flag, experiment),
    )


def _show_spec(flag: Flag, experiment: Experiment) -> ConfidenceAssignmentSpec:
    """The weights of the first allocation as ranges side by side, in the order of treatments;
    the ranges that it has where they are dealt by the vendor's own buckets."""
    iteration = experiment.current
    if not iteration.allocations:
        return ConfidenceAssignmentSpec(bucketCount=0, assignments=[])
    first = iteration.allocations[0]
    variations = {one.key: dict(one.sets).get(flag.key, "") for one in iteration.treatments}
    ranges = _ranges(first, profile_of(iteration).buckets is None)
    shown = [
        ConfidenceAssignment(
            assignmentId=treatment,
            variant=ConfidenceVariantOf(
                variant=variant_name(flag.key, variations.get(treatment, ""))
            ),
            bucketRanges=ranges[treatment],
        )
        for treatment, _ in first.weights
    ]
    return ConfidenceAssignmentSpec(bucketCount=first.total, assignments=shown)


def _ranges(allocation: Allocation, are_buckets: bool) -> dict[str, list[ConfidenceBuckets]]:
    """The buckets of each treatment, by its slots where their buckets are the vendor's."""
    if are_buckets and allocation.slots:
        found: dict[str, list[ConfidenceBuckets]] = {key: [] for key, _ in allocation.weights}
        for lower, upper, owner in allocation.slots:
            found[owner].append(ConfidenceBuckets(lower=lower, upper=upper))
        return found
    ends = accumulate(parts for _, parts in allocation.weights)
    return {
        treatment: [ConfidenceBuckets(lower=end - parts, upper=end)]
        for (treatment, parts), end in zip(allocation.weights, ends, strict=True)
    }
