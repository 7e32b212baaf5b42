"""Segments: rules on what is known of a device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from allotment.change.commands import Command, Create, Delete, SetRules
from allotment.dialects.auth0.codes import in_use
from allotment.dialects.auth0.ids import find_segment, get_segment, id_of
from allotment.dialects.auth0.kept import keep, kept
from allotment.dialects.auth0.labels import (
    check_name_free,
    read_description,
    read_labels,
    read_name,
    show_description,
    shown_name,
)
from allotment.dialects.auth0.rules import read_rules, show_rules
from allotment.dialects.auth0.updates import read_update
from allotment.dialects.wire.alike import alike
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.refusal import Refusal
from allotment.dialects.wire.slug import slug
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Version, show_times
from allotment.model.catalog import Catalog
from allotment.model.segment import Segment

# The kind of unit whose experiments this API knows, "subject" in its words.
SUBJECT: Final = "device"

STATUSES: Final = ("active", "archived")

_CREATE: Final = ("name", "description", "rules")
_UPDATE: Final = (*_CREATE, "status")
_STATUS: Final = "status"
_ACTIVE, _ARCHIVED = STATUSES


def read_create_segment(asked: Asked, catalog: Catalog) -> list[Command]:
    """The command that creates the segment."""
    body = asked.body.fields(_CREATE, ("name", "rules"))
    name = read_name(body.at("name"))
    description = read_description(body.at("description"))
    rules = read_rules(body.at("rules"))
    check_name_free("segment", name, catalog.segments)
    key = slug(name, catalog.segments.__contains__, "segment")
    return [Create(Segment(key, name, description, SUBJECT, rules=rules))]


def read_update_segment(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands of a PATCH: first the edits, then the status."""
    segment = get_segment(catalog, asked.ids["id"])
    body = read_update(asked.body, _UPDATE)
    commands: list[Command] = [*read_labels("segment", segment, body, catalog.segments)]
    if body.at("rules").given:
        commands.extend(_read_rules(body.at("rules"), segment))
    if body.at("status").given:
        commands.extend(_read_status(body.at("status"), segment))
    return commands


def read_delete_segment(asked: Asked, catalog: Catalog) -> list[Command]:
    """The command that deletes the segment, if it is there."""
    segment = find_segment(catalog, asked.ids["id"])
    if segment is None:
        return []
    if catalog.users.get(f"segment:{segment.key}"):
        raise in_use("segment", "an experiment that is not archived allocates it")
    return [Delete("segment", segment.key)]


def show_segment(segment: Segment, version: Version) -> dict[str, Tree]:
    """The segment as this API spells it."""
    return {
        "id": id_of("segment", segment.key),
        "name": shown_name(segment),
        **show_description(segment),
        "type": "self",
        "status": _shown_status(segment),
        "rules": show_rules(segment.rules),
        **show_times(version),
    }


def _shown_status(segment: Segment) -> str:
    """Archived where that is kept: the model has no such state, and it decides nothing."""
    return _ARCHIVED if kept(segment, _STATUS) == _ARCHIVED else _ACTIVE


def _read_rules(place: Place, segment: Segment) -> Iterator[Command]:
    # What could only be shown as nearest is not written back by whoever sends it as it was shown.
    if not alike(place.tree(), show_rules(segment.rules)):
        yield SetRules(segment.key, read_rules(place))


def _read_status(place: Place, segment: Segment) -> Iterator[Command]:
    status = place.word(STATUSES)
    if status == _shown_status(segment):
        return
    if status == _ACTIVE:
        raise Refusal(
            400, "segment_archived", "An archived segment cannot be active again", place.path
        )
    yield keep("segment", segment.key, _STATUS, status)
