"""Segments, changed and shown: a targeting, and an allocation, which is a share of its units.

A segment that says nothing of others is sampled at once. One that does is coordinated: what it
declares is kept until it is allocated, which gives it buckets of a layer that all of them share.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Final, Literal

from allotment.change.commands import Command, Create, Keep, Rename, SetRules, SetSample
from allotment.dialects.confidence.codes import precondition
from allotment.dialects.confidence.criteria import ConfidenceTargeting
from allotment.dialects.confidence.dealing import (
    LAYER,
    ConfidenceAllocation,
    axis,
    is_coordinated,
    lasting_layer,
    layer_for,
    read_allocation,
    show_allocation,
)
from allotment.dialects.confidence.fields import (
    IS_ID,
    OUTPUT_ONLY,
    ConfidenceNothing,
    ConfidenceOrigin,
    ConfidencePage,
    Kept,
    Name,
    id_form,
    pattern,
)
from allotment.dialects.confidence.names import (
    NOTES,
    Values,
    new_id,
    noun_at,
    segment_name,
    show_origin,
)
from allotment.dialects.confidence.protobuf import As, Edit, Message
from allotment.dialects.confidence.targeting import Rules, read_targeting, show_targeting
from allotment.dialects.wire.model import LEFT_OUT, Body, Maybe, Model
from allotment.dialects.wire.operation import Call, Noun, ReadState
from allotment.dialects.wire.source import Tree, alike
from allotment.errors import InvalidChange
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.limits import BUCKETS
from allotment.model.segment import Sample, Segment

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

    segmentId: Maybe[Annotated[str, id_form(), IS_ID]] = LEFT_OUT


_STATE: Final = "state"
_TARGETING: Final = "targeting"
_ALLOCATION: Final = "allocation"
_NOTES: Final = ("labels", "owner")

SegmentState = Literal["OK", "UNALLOCATED", "ALLOCATED", "ARCHIVED"]


def create_segment(
    call: Call[ConfidenceSegmentCreate], catalog: Catalog, query: ConfidenceSegmentId
) -> list[Command]:
    """Create a segment. One that is coordinated waits to be allocated."""
    body = call.body
    key = new_id(query.segmentId, "segment", catalog.segments, call)
    rules, wanted = read_targeting(body.targeting), read_allocation(body.allocation)
    notes: Values = {name: getattr(body, name) for name in _NOTES}
    notes[_TARGETING] = _as_sent(body.targeting, rules)
    if is_coordinated(wanted):
        notes[_ALLOCATION] = show_allocation(wanted).plain()
    name = body.displayName or ""
    segment = Segment(key, name, rules=rules, kept=NOTES.on_new(notes))
    if is_coordinated(wanted) or wanted.share_ppm == BUCKETS:
        return [Create(segment)]
    layer, before = layer_for(call.account, catalog)
    return [*before, Create(replace(segment, sample=replace(wanted, layer=layer)))]


def update_segment(call: Call[ConfidenceSegmentEdit], catalog: Catalog) -> list[Command]:
    """Change what a mask names of a segment, or else what the body gives."""
    segment = noun_at("segment", catalog.segments, call.ids)
    _refuse_archived(segment)
    return [*_edits(segment, call, catalog)]


def allocate_segment(call: Call[ConfidenceNothing], catalog: Catalog) -> list[Command]:
    """Give a segment the buckets that it waits for, if it does."""
    segment = noun_at("segment", catalog.segments, call.ids)
    _refuse_archived(segment)
    return [*_allocate_waiting(segment, call.account, catalog)]


def archive_segment(call: Call[ConfidenceNothing], catalog: Catalog) -> list[Command]:
    """Put a segment away that nothing refers to. Others may have its buckets."""
    segment = noun_at("segment", catalog.segments, call.ids)
    if shown_state(segment) == "ARCHIVED":
        return []
    if any(catalog.users.get(f"{use}:{segment.key}") for use in ("segment", "inside")):
        raise precondition("something refers to this segment; end it, or give it another one first")
    commands: list[Command] = [_keep(segment, _STATE, "ARCHIVED")]
    if segment.sample is not None:
        commands.append(SetSample(segment.key, None))
        commands.append(_keep(segment, _ALLOCATION, show_allocation(declared(segment)).plain()))
    return commands


def allocate_audience(
    experiment: Experiment, account: str | None, catalog: Catalog, path: str
) -> Iterator[Command]:
    """The commands that give an experiment's audience the buckets it waits for, before it starts.

    It starts with all that its segment declares, or not at all: never with units it should exclude.
    """
    key = experiment.current.audience
    if key is None:
        return
    segment = catalog.segments[key]
    if shown_state(segment) == "ARCHIVED":
        raise InvalidChange("the segment is archived; name another one", path)
    yield from _allocate_waiting(segment, account, catalog)


def shown_state(segment: Segment) -> SegmentState:
    """Where the segment stands: coordinated ones are allocated, or wait to be."""
    if NOTES.kept(segment, _STATE) == "ARCHIVED":
        return "ARCHIVED"
    if segment.sample is not None:
        return "ALLOCATED" if is_coordinated(declared(segment)) else "OK"
    return "UNALLOCATED" if NOTES.kept(segment, _ALLOCATION) is not None else "OK"


def declared(segment: Segment) -> Sample:
    """What the segment declares: by its sample, or else by what is kept."""
    if segment.sample is not None:
        return segment.sample
    return read_allocation(NOTES.read_fields(segment, ConfidenceSegmentFields).allocation)


def _edits(
    segment: Segment, call: Call[ConfidenceSegmentEdit], catalog: Catalog
) -> Iterator[Command]:
    body, given = call.body, call.body.model_fields_set
    if "displayName" in given:
        yield Rename("segment", segment.key, body.displayName or "")
    if "targeting" in given:
        rules = read_targeting(body.targeting)
        if rules != segment.rules:
            yield SetRules(segment.key, rules)
        sent = _as_sent(body.targeting, rules)
        if not alike(sent, NOTES.kept(segment, _TARGETING)):
            yield _keep(segment, _TARGETING, sent)
    if "allocation" in given:
        wanted = read_allocation(body.allocation)
        yield from _set_allocation(segment, wanted, call.account, catalog)
    for name in given.intersection(_NOTES):
        yield _keep(segment, name, getattr(body, name))


def _as_sent(targeting: ConfidenceTargeting | None, rules: Rules) -> Tree:
    """The targeting, where it could not be told from the rules how it was spelled."""
    if targeting is None or alike(targeting.plain(), show_targeting(rules)):
        return None
    return targeting.plain()


def _set_allocation(
    segment: Segment, wanted: Sample, account: str | None, catalog: Catalog
) -> Iterator[Command]:
    """The commands that make the segment declare this."""
    if segment.sample is None and is_coordinated(wanted):
        yield _keep(segment, _ALLOCATION, show_allocation(wanted).plain())
        return
    if NOTES.kept(segment, _ALLOCATION) is not None:
        yield _keep(segment, _ALLOCATION, None)
    if is_coordinated(wanted):
        yield from _allocate(segment, wanted, account, catalog)
    elif segment.sample is None and wanted.share_ppm < BUCKETS:
        layer, before = layer_for(account, catalog)
        yield from before
        yield SetSample(segment.key, replace(wanted, layer=layer))
    elif segment.sample is not None:
        sample = replace(wanted, layer=lasting_layer(segment.sample, catalog))
        yield SetSample(segment.key, sample if wanted.share_ppm < BUCKETS else None)


def _allocate_waiting(segment: Segment, account: str | None, catalog: Catalog) -> Iterator[Command]:
    if shown_state(segment) == "UNALLOCATED":
        yield from _allocate(segment, declared(segment), account, catalog)
        yield _keep(segment, _ALLOCATION, None)


def _allocate(
    segment: Segment, wanted: Sample, account: str | None, catalog: Catalog
) -> Iterator[Command]:
    """The commands that give a coordinated segment buckets of the layer."""
    layer = segment.sample.layer if segment.sample and segment.sample.layer else LAYER
    if layer == LAYER:
        yield from axis(account, catalog)
    yield SetSample(segment.key, replace(wanted, layer=layer))


def _keep(segment: Segment, where: str, value: Tree) -> Keep:
    return NOTES.keep("segment", segment.key, where, value)


def _refuse_archived(segment: Segment) -> None:
    if shown_state(segment) == "ARCHIVED":
        raise precondition("this segment is archived, which is final")


def list_segments(query: ConfidencePage, state: ReadState) -> ConfidenceSegments:
    """A page of segments, archived ones among them."""
    found = query.page("segments", state.catalog.segments, lambda _one: True)
    segments = [get_segment(state, Noun("segment", one.key)) for one in found.items]
    return ConfidenceSegments(segments=segments, nextPageToken=found.token or "")


def get_segment(state: ReadState, noun: Noun) -> ConfidenceSegment:
    """A segment. Its targeting is as it was sent, as long as that is what the rules say."""
    segment = state.catalog.segments[noun.key]
    kept = NOTES.read_fields(segment, ConfidenceSegmentFields)
    targeting, sent = show_targeting(segment.rules), kept.targeting
    if sent is not None and read_targeting(sent) == segment.rules:
        targeting = sent.plain()
    return ConfidenceSegment.model_construct(
        name=segment_name(segment.key),
        displayName=segment.name or segment.key,
        targeting=targeting,
        allocation=show_allocation(declared(segment)),
        labels=kept.labels,
        owner=kept.owner,
        state=shown_state(segment),
        **show_origin(state.versions[noun.name]),
    )
