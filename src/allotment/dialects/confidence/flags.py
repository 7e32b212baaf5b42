"""Flags, which are on from the first, and their variants: changed, and shown."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import Final

from allotment.change.commands import Command, Create, Describe, SetVariations, SwitchFlag
from allotment.change.references import answering
from allotment.dialects.confidence.audience import selector_of
from allotment.dialects.confidence.codes import missing, precondition
from allotment.dialects.confidence.names import (
    NOTES,
    Values,
    flag_at,
    flag_name,
    labels_of,
    new_id,
    rule_name,
    segment_name,
    show_origin,
    variant_name,
)
from allotment.dialects.confidence.schema.fields import ConfidenceNothing, ConfidencePage
from allotment.dialects.confidence.schema.flags import (
    VARIANTS_MAX,
    ConfidenceAssignment,
    ConfidenceAssignmentSpec,
    ConfidenceBuckets,
    ConfidenceFlag,
    ConfidenceFlagCreate,
    ConfidenceFlagEdit,
    ConfidenceFlagId,
    ConfidenceFlags,
    ConfidenceNewVariant,
    ConfidenceRule,
    ConfidenceVariant,
    ConfidenceVariantCreate,
    ConfidenceVariantEdit,
    ConfidenceVariantId,
    ConfidenceVariantOf,
    ConfidenceVariants,
)
from allotment.dialects.confidence.values import (
    LONE,
    SCHEMA,
    is_lone,
    schema_of,
    value_of,
    variants_of,
)
from allotment.dialects.wire.notes import json_text
from allotment.dialects.wire.operation import Call, Noun, ReadState, ReadVersion
from allotment.dialects.wire.page import page
from allotment.dialects.wire.source import Tree, step
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment
from allotment.model.experiment import State as Stage
from allotment.model.flag import CLIENT_DEFAULT, Flag, FlagState, Variation
from allotment.model.stage import profile_of

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
    key, body = flag_at(catalog, call.ids["flag"]).key, call.body
    commands: list[Command] = []
    if "description" in body.model_fields_set:
        commands.append(Describe("flag", key, body.description or ""))
    for name, where in _KEPT.items():
        if name in body.model_fields_set:
            commands.append(NOTES.keep("flag", key, where, getattr(body, name)))
    return commands


def archive_flag(call: Call[ConfidenceNothing], catalog: Catalog) -> list[Command]:
    """Archive a flag, for good."""
    return [SwitchFlag(flag_at(catalog, call.ids["flag"]).key, FlagState.ARCHIVED)]


def create_variant(
    call: Call[ConfidenceVariantCreate], catalog: Catalog, query: ConfidenceVariantId
) -> list[Command]:
    """Add a variant to a flag."""
    flag, body = flag_at(catalog, call.ids["flag"]), call.body
    # The key of the hidden variation is never given away: such a variant would not be listed.
    keys = {CLIENT_DEFAULT, *(one.key for one in flag.variations)}
    key = new_id(query.variantId, "variation", keys, call)
    value = _value_text(body.value, lone=bool(variants_of(flag)) and is_lone(flag))
    if len(variants_of(flag)) >= VARIANTS_MAX:
        raise precondition(f"a flag has at most {VARIANTS_MAX} variants")
    added = Variation(key, value, description=body.description or "")
    commands: list[Command] = [SetVariations(flag.key, (*flag.variations, added), flag.default)]
    if body.labels is not None:
        commands.append(NOTES.keep("flag", flag.key, labels_of(key), body.labels))
    return commands


def update_variant(call: Call[ConfidenceVariantEdit], catalog: Catalog) -> list[Command]:
    """Change what a mask names of a variant, or else what the body gives."""
    flag, body = flag_at(catalog, call.ids["flag"]), call.body
    old = new = variant_of(flag, call.ids["variant"])
    if body.value is not None:
        new = replace(new, value=_value_text(body.value, lone=is_lone(flag)))
    if "description" in body.model_fields_set:
        new = replace(new, description=body.description or "")
    commands: list[Command] = []
    if new != old:
        variations = tuple(new if one is old else one for one in flag.variations)
        commands.append(SetVariations(flag.key, variations, flag.default))
    if "labels" in body.model_fields_set:
        commands.append(NOTES.keep("flag", flag.key, labels_of(old.key), body.labels))
    return commands


def delete_variant(call: Call[None], catalog: Catalog) -> list[Command]:
    """Take a variant from its flag."""
    flag = flag_at(catalog, call.ids["flag"])
    gone = variant_of(flag, call.ids["variant"])
    if gone.key == flag.default:
        raise precondition("the variant is in use: who gets no treatment gets it")
    for key in sorted(catalog.users.get(f"flag:{flag.key}", frozenset())):
        for iteration in answering(catalog.experiments[key]):
            if any((flag.key, gone.key) in one.sets for one in iteration.treatments):
                raise precondition("the variant is in use: an instance has it as a treatment")
    left = tuple(one for one in flag.variations if one is not gone)
    commands: list[Command] = [SetVariations(flag.key, left, flag.default)]
    if NOTES.kept(flag, labels_of(gone.key)) is not None:
        commands.append(NOTES.keep("flag", flag.key, labels_of(gone.key), None))
    return commands


def variant_of(flag: Flag, key: str) -> Variation:
    """The variant that a path names; raises Refusal, 404."""
    return next((one for one in variants_of(flag) if one.key == key), None) or missing("variation")


def _variant_key(one: ConfidenceNewVariant, path: str, flag: str, taken: set[str]) -> str:
    """The key of a variant that is created with its flag."""
    key = one.name.removeprefix(f"{flag_name(flag)}/variants/")
    if key in (one.name, ""):
        message = "a name like flags/FLAG/variants/VARIANT belongs here, of this flag"
        raise InvalidInput(message, path)
    if key in taken:
        raise InvalidInput("another variant has this name", path)
    return key


def _value_text(value: dict[str, Tree], *, lone: bool) -> str:
    """The JSON text of a variation's value; a lone one is in one field of an object."""
    if not lone:
        return json_text(value)
    wrong = next((name for name in value if name != LONE), None)
    if wrong is not None or LONE not in value:
        message = f"the values of this flag are no objects; `{LONE}` alone belongs here"
        raise InvalidInput(message, step("$.value", wrong or LONE))
    return json_text(value[LONE])


def list_flags(query: ConfidencePage, state: ReadState) -> ConfidenceFlags:
    """A page of flags, archived ones among them."""
    every = state.catalog.flags
    found = page("flags", every, lambda _one: True, query.size, query.token, path="query.pageToken")
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
        variants=[show_variant(flag, one, version) for one in variants_of(flag)],
        rules=[show_rule(flag, one) for one in experiments],
        clients=[],
        state="ARCHIVED" if flag.state is FlagState.ARCHIVED else "ACTIVE",
        **show_origin(version),
    )


def list_variants(state: ReadState, noun: Noun) -> ConfidenceVariants:
    """All variants of a flag, which are few."""
    flag, version = state.catalog.flags[noun.key], state.versions[noun.name]
    shown = [show_variant(flag, one, version) for one in variants_of(flag)]
    return ConfidenceVariants(variants=shown, nextPageToken="")


def get_variant(state: ReadState, noun: Noun) -> ConfidenceVariant:
    """A variant. Its times are its flag's, whose part it is."""
    flag = state.catalog.flags[noun.key]
    return show_variant(flag, variant_of(flag, noun.part), state.versions[noun.name])


def show_nothing(_state: ReadState, _noun: Noun) -> ConfidenceNothing:
    """What is left of what was deleted."""
    return ConfidenceNothing()


def show_variant(flag: Flag, variation: Variation, version: ReadVersion) -> ConfidenceVariant:
    """A variant of a flag."""
    return ConfidenceVariant(
        name=variant_name(flag.key, variation.key),
        value=value_of(flag, variation),
        description=variation.description,
        labels=NOTES.kept(flag, labels_of(variation.key)),
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
