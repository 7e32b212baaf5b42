"""The pages of segments: all of them, and one with its rules in words and a box to test a unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from allotment.compile.segment import compile_segment
from allotment.errors import AllotmentError, InvalidInput, NotFound
from allotment.matching.why import why_not
from allotment.model.catalog import Catalog
from allotment.model.segment import Segment
from allotment.model.text import check_unit_key
from allotment.server.api.route import Query
from allotment.server.assign.effort import Size, effort
from allotment.server.assign.shown import Shown
from allotment.server.console.paging import NounsQuery, noun_page
from allotment.server.console.question import AttributesQuery, Question, read_question
from allotment.server.console.route import Looking, PageRoute, shown
from allotment.server.console.rules import RuleWords, rule_words
from allotment.server.sync.spaces import Served
from allotment.server.writes.change import node_of

router: Final = APIRouter(route_class=PageRoute)

IDS_SHOWN: Final = 50
USERS_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A segment: its rules in words, the first of its listed units, and who asks for it."""

    segment: Segment
    rules: tuple[RuleWords, ...]
    included: tuple[str, ...]
    excluded: tuple[str, ...]
    experiments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TestedUnit:
    """Whether a unit is in a segment, and why it is not."""

    is_member: bool
    why_not: str


@router.get("/{project}/{environment}/segments")
async def get_segments(
    request: Request, visitor: Looking, query: Annotated[NounsQuery, Query(NounsQuery)]
) -> Response:
    """The list."""

    def make(served: Served) -> Mapping[str, Any]:
        return {"list": noun_page(served.stored.catalog.segments, query), "query": query}

    return await shown(request, visitor, "segments.html", make)


@router.get("/{project}/{environment}/segments/{key}")
async def get_segment(
    request: Request,
    visitor: Looking,
    key: str,
    query: Annotated[AttributesQuery, Query(AttributesQuery)],
) -> Response:
    """One segment; with a unit, whether that is a member."""
    node = node_of(request)
    served = node.served(visitor.caller.space)
    catalog = served.stored.catalog
    if key not in catalog.segments:
        raise NotFound(f"there is no segment {key!r} in this space")
    tested: TestedUnit | None = None
    fault: AllotmentError | None = None
    if query.unit:
        try:
            # One after the other: a list of a million takes a second to compile.
            tested = await node.show(membership, served, key, read_question(query))
        except InvalidInput as error:
            fault = error
    page = {"tested": tested, "query": query, "fault": fault, "view": segment_view(catalog, key)}
    status = 200 if fault is None else fault.status_hint
    return await shown(request, visitor, "segment.html", lambda _: page, status)


def segment_view(catalog: Catalog, key: str) -> SegmentView:
    """What is shown of a segment."""
    segment = catalog.segments[key]
    users = sorted(catalog.users.get(f"segment:{key}", ()))
    return SegmentView(
        segment,
        tuple(map(rule_words, segment.rules)),
        _first(segment.include.text),
        _first(segment.exclude.text),
        tuple(users[:USERS_SHOWN]),
    )


def _first(text: bytes) -> tuple[str, ...]:
    lines = text.split(b"\n", IDS_SHOWN)[:IDS_SHOWN] if text else []
    return tuple(each.decode() for each in lines)


def membership(served: Served, key: str, asked: Question) -> TestedUnit:
    """Whether a unit is a member, as the kernel decides it.

    Raises InvalidInput for no unit, TooLarge where to tell would take too long.
    """
    segments = served.stored.catalog.segments
    unit = check_unit_key(asked.unit, "query.unit")
    compiled = compile_segment(segments[key], segments)
    effort(Shown(served), (), Size.of(asked.text), compiled.work)
    attributes = dict(asked.attributes)
    if compiled.kernel.matches(unit, attributes):
        return TestedUnit(True, "")
    return TestedUnit(False, why_not(key, segments, unit, attributes))
