"""`GET /v1/journal`: who changed what, when and why, newest first."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from allotment.dialects.wire.model import DIGITS, LEFT_OUT, Body, Maybe, Model
from allotment.model.instant import show_instant
from allotment.model.plain import to_plain
from allotment.server.api.fields import Command, Moment, Move, Revision
from allotment.server.api.route import Query, Reader, Route
from allotment.server.http.answer import Answer, as_json, respond
from allotment.server.http.limits import PAGE_BYTES_MAX, REVISION_MAX
from allotment.server.writes.change import node_of
from allotment.store import Entry

router: Final = APIRouter(route_class=Route, tags=["native"])


class JournalQuery(Body):
    """A page of the journal."""

    limit: Annotated[
        int,
        Field(
            ge=1,
            le=1_000,
            description="How many there are on a page at the most; large changes make it shorter.",
        ),
        DIGITS,
    ] = 100
    before: Annotated[
        Maybe[Annotated[int, Field(ge=0, le=REVISION_MAX), DIGITS]],
        Field(description="Only changes before this revision."),
    ] = LEFT_OUT


class JournalEntry(Model):
    """A change."""

    revision: Annotated[int, Field(ge=1)]
    when: Moment
    who: Annotated[str, Field(description="The id of a token, or a name on a command line.")]
    name: Annotated[str, Field(description="The token's name; empty where it is none of a token.")]
    dialect: str
    comment: str
    commands: list[Command]
    moves: list[Move]


class Journal(Model):
    """Changes, newest first."""

    entries: list[JournalEntry]
    next: Annotated[
        Revision | None, Field(description="The `before` of the next page, null on the last.")
    ]


@router.get("/v1/journal", summary="List the changes, newest first", response_model=Journal)
async def get_journal(
    request: Request, caller: Reader, query: Annotated[JournalQuery, Query(JournalQuery)]
) -> Response:
    """A page of the journal."""
    node = node_of(request)
    store = node.store_at(caller.space)

    def page() -> Answer:
        entries, following = store.journal_page(query.limit, query.before, PAGE_BYTES_MAX)
        return as_json(Journal(entries=[_entry(each) for each in entries], next=following))

    # One after the other, so that all requests together take the memory of one.
    return respond(await node.show(page))


def _entry(entry: Entry) -> JournalEntry:
    return JournalEntry(
        revision=entry.revision,
        when=show_instant(round(entry.when.timestamp() * 1000)),
        who=entry.who,
        name=entry.name,
        dialect=entry.dialect,
        comment=entry.comment,
        commands=to_plain(entry.commands),
        moves=to_plain(entry.moves),
    )
