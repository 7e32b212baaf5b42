"""`GET /v1/journal`: who changed what, when and why, newest first."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from allotment.model.instant import show_instant
from allotment.model.plain import to_plain
from allotment.server.answer import Answer, as_json, respond
from allotment.server.conditional import admit, node_of
from allotment.server.limits import PAGE_BYTES_MAX
from allotment.server.operation import closed, in_query, operation, ref
from allotment.server.requests import query_of, whole
from allotment.store import Entry, Scope

router: Final = APIRouter()

_LIMIT: Final = 100
_LIMIT_MAX: Final = 1_000
_REVISION_MAX: Final = 10**17

_ENTRY: Final = closed(
    {
        "revision": {"type": "integer", "minimum": 1},
        "when": {"type": "string", "format": "date-time"},
        "who": {"type": "string"},
        "dialect": {"type": "string"},
        "comment": {"type": "string"},
        "commands": {"type": "array", "items": ref("Command")},
        "moves": {"type": "array", "items": ref("Move")},
    }
)


@router.get(
    "/v1/journal",
    response_class=Response,
    operation_id="get_journal",
    openapi_extra=operation(
        "List the changes, newest first",
        Scope.READ,
        {
            200: closed(
                {
                    "entries": {"type": "array", "items": _ENTRY},
                    "next": {
                        "type": ["integer", "null"],
                        "description": "The `before` of the next page, null on the last.",
                    },
                }
            )
        },
        parameters=(
            in_query(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": _LIMIT_MAX, "default": _LIMIT},
                "How many there are on a page at the most; large changes make it shorter.",
            ),
            in_query(
                "before",
                {"type": "integer", "minimum": 0, "maximum": _REVISION_MAX},
                "Only changes before this revision.",
            ),
        ),
    ),
)
async def get_journal(request: Request) -> Response:
    """A page of the journal."""
    query = query_of(request, ("limit", "before"))
    limit = whole(query.get("limit", str(_LIMIT)), "query.limit", 1, _LIMIT_MAX)
    said = query.get("before")
    before = None if said is None else whole(said, "query.before", 0, _REVISION_MAX)
    caller = await admit(request, Scope.READ)
    node = node_of(request)
    store = node.store_at(caller.space)

    def page() -> Answer:
        entries, following = store.journal_page(limit, before, PAGE_BYTES_MAX)
        return as_json({"entries": [_show(each) for each in entries], "next": following})

    # One after the other, so that all requests together take the memory of one.
    return respond(await node.show(page))


def _show(entry: Entry) -> dict[str, Any]:
    return {
        "revision": entry.revision,
        "when": show_instant(round(entry.when.timestamp() * 1000)),
        "who": entry.who,
        "dialect": entry.dialect,
        "comment": entry.comment,
        "commands": to_plain(entry.commands),
        "moves": to_plain(entry.moves),
    }
