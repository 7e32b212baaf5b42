"""The operations of `/v1/segments`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from allotment.change.commands import Command, Create
from allotment.change.kinds import kind_of
from allotment.dialects.confidence import flags_lists, lists, segments
from allotment.dialects.confidence.flags_edit import MASK
from allotment.dialects.confidence.flags_ids import LEAST, MOST
from allotment.dialects.confidence.names import get_segment
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.server.api.vendor import Noun
from allotment.server.confidence import segments_schemas  # noqa: F401  # its schemas are told of
from allotment.server.confidence.api import METHOD, VENDOR, add
from allotment.server.confidence.operation import described
from allotment.server.confidence.schemas import Schema, ref
from allotment.store import Scope, Stored

MANY: Final = "/v1/segments"
ONE: Final = "/v1/segments/{segment}"

# What the lists of this API can be asked for, and what of a new noun, and of a change.
PAGES: Final[dict[str, Schema]] = {
    "pageSize": {"type": "integer", "minimum": 0, "maximum": lists.SIZE_MAX},
    "pageToken": {"type": "string", "maxLength": 1024},
}
EDIT: Final[dict[str, Schema]] = {MASK: {"type": "string", "maxLength": 16_384}}

_PATH: Final[dict[str, Schema]] = {"segment": {"type": "string", "examples": ["nordics"]}}
_SHOWN: Final = ref("Segment")


def chosen(kind: str) -> dict[str, Schema]:
    """The parameter of a query that gives a new noun its id."""
    pattern = f"^[a-z0-9][a-z0-9-]{{{LEAST[kind] - 1},{MOST - 1}}}$"
    return {f"{kind}Id": {"type": "string", "pattern": pattern}}


def created(commands: Sequence[Command]) -> Noun:
    """The one noun that the commands create."""
    (noun,) = (command.noun for command in commands if isinstance(command, Create))
    return (kind_of(noun), noun.key)


def _find(ids: Mapping[str, str], catalog: Catalog) -> Noun:
    return ("segment", get_segment(catalog, ids["segment"]).key)


def _show(_asked: Asked, noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
    return segments.show_segment(stored.catalog.segments[noun[1]], stored.versions[":".join(noun)])


add(
    "GET",
    MANY,
    "list_segments",
    VENDOR.listing(flags_lists.list_segments, flags_lists.PAGED),
    described("List segments", Scope.READ, {200: ref("Segments")}, query=PAGES),
)
add(
    "POST",
    MANY,
    "create_segment",
    VENDOR.changing(segments.read_create_segment, None, _show, made=created, known=("segmentId",)),
    described(
        "Create a segment",
        Scope.WRITE,
        {200: _SHOWN},
        query=chosen("segment"),
        body=ref("SegmentEdit"),
        changes=True,
    ),
)
add(
    "GET",
    ONE,
    "get_segment",
    VENDOR.getting(_find, _show),
    described("Get a segment", Scope.READ, {200: _SHOWN, 304: None}, path=_PATH),
)
add(
    "PATCH",
    ONE,
    "update_segment",
    VENDOR.changing(segments.read_update_segment, _find, _show, known=(MASK,)),
    described(
        "Change what a mask names of a segment, or else what the body gives",
        Scope.WRITE,
        {200: _SHOWN},
        path=_PATH,
        query=EDIT,
        body=ref("SegmentEdit"),
        changes=True,
    ),
)
for _word, _read, _summary in (
    ("allocate", segments.read_allocate_segment, "Give a segment the buckets that it waits for"),
    ("archive", segments.read_archive_segment, "Put a segment away that nothing refers to"),
):
    add(
        "POST",
        f"{ONE}:{_word}",
        f"{_word}_segment",
        METHOD.changing(_read, _find, _show),
        described(
            _summary,
            Scope.WRITE,
            {200: _SHOWN},
            path=_PATH,
            body=ref("Nothing"),
            changes=True,
        ),
    )
