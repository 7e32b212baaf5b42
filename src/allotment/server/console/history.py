"""The page of changes: who changed what, when, by which API and why; the newest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from allotment.change.commands import Command
from allotment.dialects.wire.model import Body
from allotment.model.instant import milliseconds
from allotment.server.api.route import Query
from allotment.server.console.route import Looking, PageRoute, shown
from allotment.server.console.words import moment, told
from allotment.server.http.limits import PAGE_BYTES_MAX, REVISION_MAX
from allotment.server.http.requests import whole
from allotment.server.writes.change import node_of
from allotment.store import Entry
from allotment.words.commands import line_of, moved_line

router: Final = APIRouter(route_class=PageRoute)

ENTRIES: Final = 50
LINES: Final = 20
_AT_A_TIME: Final = 200
_LOOKED_AT_MAX: Final = 5_000

_NAMED: Final = ("experiment", "flag", "segment", "layer", "holdout", "key")

# A page of the journal: the entries before a revision, and where the next page begins.
ReadPage = Callable[[int, int | None], tuple[tuple[Entry, ...], int | None]]

_Word = Annotated[str, Field(max_length=1024)]


class HistoryQuery(Body):
    """Which changes are shown: about a noun, by someone, by an API, with words in the comment."""

    about: _Word = ""
    who: _Word = ""
    api: _Word = ""
    comment: _Word = ""
    before: Annotated[str, Field(max_length=20)] = ""


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One change: `lines` are its commands in words, the first of them; `more` how many follow."""

    revision: int
    when: str
    who: str
    api: str
    comment: str
    lines: tuple[str, ...]
    more: int
    moves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeList:
    """Changes, of `looked_at` that were looked at; `before` is where earlier ones begin."""

    changes: tuple[ChangeLine, ...]
    looked_at: int
    before: int | None


@router.get("/{project}/{environment}/history")
async def get_history(
    request: Request, visitor: Looking, query: Annotated[HistoryQuery, Query(HistoryQuery)]
) -> Response:
    """The list."""
    node = node_of(request)
    store = node.store_at(visitor.caller.space)
    before = whole(query.before, "query.before", 0, REVISION_MAX) if query.before else None

    def read(limit: int, before: int | None) -> tuple[tuple[Entry, ...], int | None]:
        return store.journal_page(limit, before, PAGE_BYTES_MAX)

    found = await node.show(change_list, read, query, before)
    return await shown(request, visitor, "history.html", lambda _: {"list": found, "query": query})


def change_list(read: ReadPage, query: HistoryQuery, before: int | None) -> ChangeList:
    """The changes that a query asks for, before a revision."""
    changes: list[ChangeLine] = []
    looked_at = 0
    while looked_at < _LOOKED_AT_MAX:
        entries, following = read(_AT_A_TIME, before)
        for place, entry in enumerate(entries, 1):
            looked_at += 1
            if is_wanted(entry, query):
                changes.append(change_line(entry))
            if len(changes) == ENTRIES and (place < len(entries) or following is not None):
                return ChangeList(tuple(changes), looked_at, entry.revision)
        if following is None:
            return ChangeList(tuple(changes), looked_at, None)
        before = following
    return ChangeList(tuple(changes), looked_at, before)


def is_wanted(entry: Entry, query: HistoryQuery) -> bool:
    """Whether a change is as the query says; words are compared without case."""
    if query.about and not any(query.about in names_of(each) for each in entry.commands):
        return False
    if query.api and query.api != entry.dialect:
        return False
    if query.who and query.who.casefold() not in f"{entry.name}\n{entry.who}".casefold():
        return False
    return query.comment.casefold() in entry.comment.casefold()


def names_of(command: Command) -> Iterator[str]:
    """The keys of the nouns that a command is about."""
    noun = getattr(command, "noun", None)
    if noun is not None:
        yield noun.key
    for name in _NAMED:
        key = getattr(command, name, None)
        if isinstance(key, str):
            yield key


def change_line(entry: Entry, lines: int = LINES) -> ChangeLine:
    """A change as it is listed, with at most so many lines of its commands and of what moved."""
    return ChangeLine(
        entry.revision,
        moment(milliseconds(entry.when)),
        entry.name or entry.who,
        entry.dialect,
        entry.comment,
        tuple(told(line_of(each)) for each in entry.commands[:lines]),
        max(0, len(entry.commands) - lines),
        tuple(moved_line(each) for each in entry.moves[:lines]),
    )
