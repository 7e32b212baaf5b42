"""What differs between two revisions, noun by noun and in words; also the page of one change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from allotment.change.impact import moves
from allotment.change.kinds import KINDS, nouns_of
from allotment.dialects.wire.model import Body
from allotment.errors import AllotmentError, InvalidChange, InvalidInput, NotFound
from allotment.model.catalog import EMPTY, Catalog
from allotment.server.api.route import Query
from allotment.server.assign.explained import Explained
from allotment.server.console.history import change_line
from allotment.server.console.route import Looking, PageRoute, no_query, shown
from allotment.server.http.limits import REVISION_MAX
from allotment.server.http.requests import whole
from allotment.server.sync.node import Node
from allotment.server.sync.spaces import Served
from allotment.server.writes.change import node_of
from allotment.store import Entry
from allotment.words.commands import moved_line
from allotment.words.differences import Difference, differences

router: Final = APIRouter(route_class=PageRoute)

NOUNS_MAX: Final = 200
FIELDS_MAX: Final = 50
_LINES: Final = 500

_Number = Annotated[str, Field(max_length=20)]


class CompareQuery(Body):
    """The two revisions."""

    since: _Number = ""
    until: _Number = ""


@dataclass(frozen=True, slots=True)
class NounChange:
    """A noun that differs: it is "new", "gone" or "changed", then with the fields that differ."""

    kind: str
    key: str
    what: str
    fields: tuple[Difference, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two revisions: the first nouns, how many more, and what moves."""

    since: int
    until: int
    nouns: tuple[NounChange, ...]
    more: int
    moves: tuple[str, ...]


@router.get("/{project}/{environment}/history/compare")
async def get_comparison(
    request: Request, visitor: Looking, query: Annotated[CompareQuery, Query(CompareQuery)]
) -> Response:
    """Two revisions side by side; a form where none are named."""
    node = node_of(request)
    served = node.served(visitor.caller.space)
    made, fault = None, None
    if query.since or query.until:
        try:
            since = whole(query.since, "query.since", 0, REVISION_MAX)
            until = whole(query.until, "query.until", 0, REVISION_MAX)
            made = await _compared(node, request.app.state.explained, served, since, until)
        except (InvalidInput, InvalidChange) as error:
            fault = error
    page = {"comparison": made, "query": query, "fault": fault}
    return await shown(request, visitor, "compare.html", lambda _: page, _status(fault))


def _status(fault: AllotmentError | None) -> int:
    return 200 if fault is None else fault.status_hint


@router.get("/{project}/{environment}/history/{revision}", dependencies=[Depends(no_query)])
async def get_change(request: Request, visitor: Looking, revision: str) -> Response:
    """One change: what was asked, and what it made of the catalog."""
    number = whole(revision, "path", 1, REVISION_MAX)
    node = node_of(request)
    served = node.served(visitor.caller.space)
    store = node.store_at(served.space)
    entries: tuple[Entry, ...] = await node.run(store.journal, 1, number + 1)
    if not entries or entries[0].revision != number:
        raise NotFound(f"this space has no revision {number:,}")
    made = await _compared(node, request.app.state.explained, served, number - 1, number)
    page = {"change": change_line(entries[0], _LINES), "comparison": made}
    return await shown(request, visitor, "change.html", lambda _: page)


async def _compared(
    node: Node, explained: Explained, served: Served, since: int, until: int
) -> Comparison:
    old, new = [
        EMPTY if revision == 0 else await explained.catalog(served, revision)
        for revision in (since, until)
    ]
    store = node.store_at(served.space)
    first, last = sorted((since, until))

    def compared() -> Comparison:
        touched: Iterable[tuple[str, str]] | None = None
        if first:
            touched = store.written(store.head(first), store.head(last))
        return comparison(old, new, touched)

    return await node.rebuild(compared)


def comparison(
    old: Catalog, new: Catalog, touched: Iterable[tuple[str, str]] | None = None
) -> Comparison:
    """What differs between two catalogs; `touched` names those nouns that may, if that is known."""
    named = _all(old, new) if touched is None else touched
    changes = list(_changes(old, new, named))
    experiments = [("experiment", each.key) for each in changes if each.kind == "experiment"]
    return Comparison(
        old.revision,
        new.revision,
        tuple(changes[:NOUNS_MAX]),
        max(0, len(changes) - NOUNS_MAX),
        tuple(moved_line(each) for each in moves(old, new, experiments)[:NOUNS_MAX]),
    )


def _all(old: Catalog, new: Catalog) -> Iterator[tuple[str, str]]:
    for kind in KINDS:
        for key, _, _ in nouns_of(old, kind).differing(nouns_of(new, kind)):
            yield kind, key


def _changes(old: Catalog, new: Catalog, named: Iterable[tuple[str, str]]) -> Iterator[NounChange]:
    for kind, key in named:
        if kind not in KINDS:
            continue
        was, now = nouns_of(old, kind).get(key), nouns_of(new, kind).get(key)
        if was is None and now is not None:
            yield NounChange(kind, key, "new", (), 0)
        elif was is not None and now is None:
            yield NounChange(kind, key, "gone", (), 0)
        elif was is not None and now is not None:
            found = differences(was, now)
            if found:
                more = max(0, len(found) - FIELDS_MAX)
                yield NounChange(kind, key, "changed", tuple(found[:FIELDS_MAX]), more)
