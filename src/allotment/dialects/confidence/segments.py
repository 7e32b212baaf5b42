"""Segments: a targeting, and an allocation that says how many of its units a segment has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from allotment.change.commands import Command, Create, Rename, SetRules, SetSample
from allotment.dialects.confidence.flags_edit import read_edits, read_note, read_text
from allotment.dialects.confidence.flags_ids import read_id
from allotment.dialects.confidence.kept import Values, keep, keeping, kept
from allotment.dialects.confidence.names import get_segment, segment_name
from allotment.dialects.confidence.origin import show_origin
from allotment.dialects.confidence.segments_allocation import (
    ALLOCATION,
    FIELDS,
    allocate,
    declared,
    read_allocation,
    sampled,
    set_allocation,
    show_allocation,
)
from allotment.dialects.confidence.targeting import Rules, read_targeting, show_targeting
from allotment.dialects.wire.alike import alike
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.mask import Part, Shape
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.refusal import Refusal
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Version
from allotment.errors import AllotmentError, InvalidChange
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.limits import NAME_CHARACTERS_MAX
from allotment.model.segment import Segment

STATES: Final = ("OK", "UNALLOCATED", "ALLOCATED", "ARCHIVED")
_OK, _UNALLOCATED, _ALLOCATED, _ARCHIVED = STATES

# Fields that nothing here is decided by.
_NOTES: Final = ("labels", "owner")

_SHAPE: Final[Shape] = {
    "displayName": Part.LEAF,
    "targeting": {"criteria": Part.OPEN, "expression": Part.LEAF},
    "allocation": dict.fromkeys(FIELDS, Part.LEAF),
    **dict.fromkeys(_NOTES, Part.OPEN),
}

# What is told of a segment and never set.
OUTPUT: Final = (
    "name",
    "state",
    "bitsetAllocation",
    "createTime",
    "updateTime",
    "creator",
    "updater",
)

_STATE: Final = "state"
_TARGETING: Final = "targeting"


def read_create_segment(asked: Asked, catalog: Catalog) -> list[Command]:
    """The command that creates the segment: one that is coordinated waits to be allocated."""
    body = asked.body.fields((*_SHAPE, *OUTPUT))
    key = read_id(asked, "segment", "segment", catalog.segments.__contains__)
    rules = _read_rules(body.at("targeting"))
    wanted = read_allocation(body.at("allocation"))
    notes: Values = {name: read_note(body.at(name)) for name in _NOTES}
    notes[_TARGETING] = _as_sent(body.at("targeting"), rules)
    if wanted.coordinated:
        notes[ALLOCATION] = show_allocation(wanted)
    segment = Segment(
        key,
        read_text(body.at("displayName"), NAME_CHARACTERS_MAX),
        rules=rules,
        sample=None if wanted.coordinated else sampled(wanted),
        kept=keeping(notes),
    )
    return [Create(segment)]


def read_update_segment(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands of a PATCH."""
    segment = get_segment(catalog, asked.ids["segment"])
    _refuse_archived(segment)
    commands: list[Command] = []
    for name, place in read_edits(asked, _shown_fields(segment), _SHAPE, OUTPUT).items():
        commands.extend(_read_edit(name, place, segment, catalog))
    return commands


def read_allocate_segment(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands that give a segment the buckets it waits for; none where it waits for none."""
    asked.body.fields(())
    segment = get_segment(catalog, asked.ids["segment"])
    _refuse_archived(segment)
    return [*_allocate(segment, catalog)]


def allocate_audience(experiment: Experiment, catalog: Catalog, place: Place) -> Iterator[Command]:
    """The commands that give an experiment's audience the buckets it waits for, before it starts.

    It starts with all that its segment declares, or not at all: never with units it should exclude.
    """
    key = experiment.current.audience
    if key is None:
        return
    segment = catalog.segments[key]
    if shown_state(segment) == _ARCHIVED:
        raise InvalidChange("the segment is archived; name another one", place.path)
    yield from _allocate(segment, catalog)


def read_archive_segment(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands that put a segment away: others may have its buckets."""
    asked.body.fields(())
    segment = get_segment(catalog, asked.ids["segment"])
    if shown_state(segment) == _ARCHIVED:
        return []
    users = catalog.users.get(f"segment:{segment.key}") or catalog.users.get(
        f"inside:{segment.key}"
    )
    if users:
        message = "something refers to this segment; end it, or give it another one first"
        raise Refusal(400, "FAILED_PRECONDITION", message)
    commands: list[Command] = [keep("segment", segment.key, _STATE, _ARCHIVED)]
    if segment.sample is not None:
        commands.append(SetSample(segment.key, None))
        note = show_allocation(declared(segment))
        commands.append(keep("segment", segment.key, ALLOCATION, note))
    return commands


def show_segment(segment: Segment, version: Version) -> dict[str, Tree]:
    """The segment as this API spells it."""
    return {
        "name": segment_name(segment.key),
        **_shown_fields(segment),
        "state": shown_state(segment),
        **show_origin(version),
    }


def shown_state(segment: Segment) -> str:
    """Where the segment stands: coordinated ones are allocated, or wait to be."""
    if kept(segment, _STATE) == _ARCHIVED:
        return _ARCHIVED
    if segment.sample is not None:
        return _ALLOCATED if segment.sample.layer else _OK
    return _UNALLOCATED if kept(segment, ALLOCATION) is not None else _OK


def _allocate(segment: Segment, catalog: Catalog) -> Iterator[Command]:
    if shown_state(segment) == _UNALLOCATED:
        yield from allocate(segment, declared(segment), catalog)
        yield keep("segment", segment.key, ALLOCATION, None)


def _shown_fields(segment: Segment) -> dict[str, Tree]:
    notes = {name: kept(segment, name) for name in _NOTES}
    return {
        "displayName": segment.name or segment.key,
        "targeting": _shown_targeting(segment),
        "allocation": show_allocation(declared(segment)),
        **{name: value for name, value in notes.items() if value is not None},
    }


def _shown_targeting(segment: Segment) -> dict[str, Tree]:
    """As it was sent, as long as that is what the rules say."""
    sent = kept(segment, _TARGETING)
    if isinstance(sent, dict):
        try:
            if read_targeting(Place(sent)) == segment.rules:
                return sent
        except AllotmentError:
            pass  # it was kept by somebody else
    return show_targeting(segment.rules)


def _read_edit(name: str, place: Place, segment: Segment, catalog: Catalog) -> Iterator[Command]:
    key = segment.key
    if name == "displayName":
        yield Rename("segment", key, read_text(place, NAME_CHARACTERS_MAX))
    elif name == "targeting":
        rules = _read_rules(place)
        if rules != segment.rules:
            yield SetRules(key, rules)
        sent = _as_sent(place, rules)
        if not alike(sent, kept(segment, _TARGETING)):
            yield keep("segment", key, _TARGETING, sent)
    elif name == "allocation":
        yield from set_allocation(segment, read_allocation(place), catalog)
    else:
        yield keep("segment", key, name, read_note(place))


def _read_rules(place: Place) -> Rules:
    return read_targeting(place if place.given and not place.null else Place({}, place.path))


def _as_sent(place: Place, rules: Rules) -> Tree:
    """The targeting, where it could not be told from the rules how it was spelled."""
    if not place.given or place.null or alike(place.tree(), show_targeting(rules)):
        return None
    return place.tree()


def _refuse_archived(segment: Segment) -> None:
    if shown_state(segment) == _ARCHIVED:
        raise Refusal(400, "FAILED_PRECONDITION", "this segment is archived, which is final")
