"""`POST /v1/commands`: any change at all, as the commands it consists of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter
from pydantic import AfterValidator, Field, WithJsonSchema
from starlette.requests import Request
from starlette.responses import Response

from allotment.change.commands import Command
from allotment.change.impact import Move, moves, touched_between
from allotment.change.lifecycle import Policy
from allotment.dialects.wire.model import Body, Model
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.plain import from_plain, to_plain
from allotment.server.api.fields import Command as NativeCommand
from allotment.server.api.fields import Move as NativeMove
from allotment.server.api.fields import Revision
from allotment.server.api.operation import ref
from allotment.server.api.route import Editor, Json, Route
from allotment.server.http.limits import BODY_DEPTH_MAX, LISTS_BYTES_MAX
from allotment.server.writes.change import ShownChange, change, holding, node_of
from allotment.store import Stored

router: Final = APIRouter(route_class=Route, tags=["native"])

_COMMANDS_MAX: Final = 1_000_000

_DIALECT: Final = r"^[a-z][a-z0-9-]{0,31}$"


def _dialect(name: str) -> str:
    if not re.fullmatch(_DIALECT[1:-1], name):
        raise ValueError("a dialect is named by up to 32 of a-z, 0-9 and '-'")
    return name


def _listed(tree: Any) -> Any:
    if not isinstance(tree, list):
        raise ValueError("a list of commands belongs here")
    return tree


class CommandsBody(Body):
    """Commands, and what the journal says of them."""

    # Read off the event loop, as there may be many.
    commands: Annotated[
        Any,
        AfterValidator(_listed),
        WithJsonSchema({"type": "array", "items": ref("Command"), "maxItems": _COMMANDS_MAX}),
    ]
    comment: Annotated[str, WithJsonSchema({"type": "string", "maxLength": 16_384})] = ""
    dialect: Annotated[
        str, AfterValidator(_dialect), Field(json_schema_extra={"pattern": _DIALECT})
    ] = "native"
    policy: Literal["native"] = "native"


class Changed(Model):
    """The change that was made."""

    revision: Revision
    commands: list[NativeCommand]
    moves: list[NativeMove]


@router.post("/v1/commands", summary="Change the catalog by commands", response_model=Changed)
async def post_commands(
    request: Request,
    caller: Editor,
    body: Annotated[CommandsBody, Json(CommandsBody, LISTS_BYTES_MAX, BODY_DEPTH_MAX)],
) -> Response:
    """All of them happen, in their order, or none. `If-Match` takes the snapshot's ETag.

    Commands that change nothing use no revision.
    """
    before = EMPTY

    def read(stored: Stored) -> Sequence[Command]:
        nonlocal before
        before = stored.catalog
        commands: Sequence[Command] = held[0]
        return commands

    def show(stored: Stored, done: Sequence[Command]) -> ShownChange:
        moved = _moves(before, stored.catalog)
        revision = stored.catalog.revision
        return ShownChange(
            Changed(revision=revision, commands=to_plain(done), moves=to_plain(moved))
        )

    async with holding(request) as held:
        held.append(await node_of(request).run(commands_in, body.commands))
        return await change(
            request,
            caller,
            policy=Policy.NATIVE,
            dialect=body.dialect,
            read=read,
            show=show,
            comment=body.comment,
        )


def _moves(before: Catalog, after: Catalog) -> tuple[Move, ...]:
    touched, _ = touched_between(before, after)
    return moves(before, after, [("experiment", key) for key in touched])


def commands_in(tree: list[Tree]) -> tuple[Command, ...]:
    """The commands, whose tree is not needed any more: it is emptied here, in a thread."""
    try:
        commands: tuple[Command, ...] = from_plain(tuple[Command, ...], tree, "$.commands")
    finally:
        tree.clear()
    return commands
