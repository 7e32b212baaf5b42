"""`/v1/spaces`: the environments of projects, each with a catalog of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from allotment.errors import InvalidInput
from allotment.model.text import check_key
from allotment.server.access import check_reach, reaches
from allotment.server.answer import as_json, respond
from allotment.server.caller import Caller
from allotment.server.conditional import authenticated, node_of, tree_of
from allotment.server.native.fields import fields_of, text
from allotment.server.operation import closed, operation, ref
from allotment.server.requests import query_of
from allotment.store import Scope

router: Final = APIRouter()


@router.get(
    "/v1/spaces",
    response_class=Response,
    operation_id="list_spaces",
    openapi_extra=operation(
        "List the spaces",
        Scope.ADMIN,
        {200: closed({"spaces": {"type": "array", "items": ref("Space")}})},
        description="Those that the token reaches.",
        spaced=False,
    ),
)
async def list_spaces(request: Request) -> Response:
    """The spaces that are served, by name."""
    query_of(request)
    caller = authenticated(request, Scope.ADMIN)
    served = node_of(request).spaces
    shown = [
        {"name": name, "revision": served[name].revision}
        for name in sorted(served)
        if reaches(caller.reach, name)
    ]
    return respond(as_json({"spaces": shown}))


@router.post(
    "/v1/spaces",
    response_class=Response,
    status_code=201,
    operation_id="create_space",
    openapi_extra=operation(
        "Make a space",
        Scope.ADMIN,
        {201: ref("Space")},
        description="It begins with the flags and layers of another space of its project.",
        body=closed(
            {
                "name": {**ref("spaceName"), "description": "PROJECT/ENVIRONMENT"},
                "copy_from": {
                    **ref("spaceName"),
                    "description": "The space they come from; else the first of the project."
                    " The token must reach it.",
                },
            },
            "copy_from",
        ),
        changes=True,
        spaced=False,
    ),
)
async def create_space(request: Request) -> Response:
    """Make a space, and serve it."""
    query_of(request)
    caller = authenticated(request, Scope.ADMIN)
    fields = fields_of(await tree_of(request), ("name", "copy_from"))
    name = _reached(text(fields, "name"), caller, "$.name")
    source = None
    if "copy_from" in fields:
        source = _reached(text(fields, "copy_from"), caller, "$.copy_from")

    def copying(origin: str) -> None:
        check_reach(caller.reach, (origin,), "$.copy_from")

    node = node_of(request)
    store = node.store
    when = datetime.now(UTC)
    await node.in_turn(
        lambda: store.create_space(
            name, who=caller.who, when=when, copy_from=source, copying=copying
        )
    )
    await node.catch_up()
    return respond(as_json({"name": name, "revision": node.served(name).revision}, 201))


def _reached(space: str, caller: Caller, path: str) -> str:
    """A space's name, once it is one, and one that the caller reaches."""
    project, slash, environment = space.partition("/")
    if not slash:
        raise InvalidInput("a space is written PROJECT/ENVIRONMENT", path)
    for part in (project, environment):
        check_key(part, path)
    check_reach(caller.reach, (space,), path)
    return space
