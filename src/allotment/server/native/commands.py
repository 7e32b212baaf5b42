"""`POST /v1/commands`: any change at all, as the commands it consists of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from allotment.change.commands import Command
from allotment.change.lifecycle import Policy
from allotment.change.touch import Move, moves, touched_between
from allotment.dialects.wire.source import Tree
from allotment.errors import InvalidInput
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.plain import from_plain, to_plain
from allotment.server.conditional import Shown, admit, change, node_of, tree_of
from allotment.server.limits import LISTS_BYTES_MAX
from allotment.server.native.fields import fields_of, text
from allotment.server.native.spelled import NESTED_MAX
from allotment.server.operation import closed, operation, ref
from allotment.server.requests import query_of
from allotment.store import Scope, Stored

router: Final = APIRouter()

_COMMANDS_MAX: Final = 1_000_000

_FIELDS: Final = ("commands", "comment", "dialect", "policy")
_DIALECT: Final = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")


@router.post(
    "/v1/commands",
    response_class=Response,
    operation_id="post_commands",
    openapi_extra=operation(
        "Change the catalog by commands",
        Scope.WRITE,
        {
            200: closed(
                {
                    "revision": {"type": "integer", "minimum": 0},
                    "commands": {"type": "array", "items": ref("Command")},
                    "moves": {"type": "array", "items": ref("Move")},
                }
            )
        },
        description=(
            "All of them happen, in their order, or none. `If-Match` takes the snapshot's ETag. "
            "Commands that change nothing use no revision."
        ),
        body=closed(
            {
                "commands": {"type": "array", "items": ref("Command"), "maxItems": _COMMANDS_MAX},
                "comment": {"type": "string", "maxLength": 16_384},
                "dialect": {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,31}$"},
                "policy": {"const": "native"},
            },
            "comment",
            "dialect",
            "policy",
        ),
        conditional=True,
    ),
)
async def post_commands(request: Request) -> Response:
    """Apply commands; the answer says what they moved."""
    query_of(request)
    caller = await admit(request, Scope.WRITE)
    fields = fields_of(await tree_of(request, LISTS_BYTES_MAX, NESTED_MAX), _FIELDS)
    if fields.get("policy", "native") != "native":
        raise InvalidInput('the policy here is "native"', "$.policy")
    dialect = text(fields, "dialect", "native")
    if not _DIALECT.match(dialect):
        raise InvalidInput("a dialect is named by up to 32 of a-z, 0-9 and '-'", "$.dialect")
    comment = text(fields, "comment", "")
    if not isinstance(fields.get("commands"), list):
        raise InvalidInput("a list of commands belongs here", "$.commands")
    commands = await node_of(request).run(_commands, fields["commands"])
    before = EMPTY

    def read(stored: Stored) -> Sequence[Command]:
        nonlocal before
        before = stored.catalog
        return commands

    def show(stored: Stored, done: Sequence[Command]) -> Shown:
        moved = _moves(before, stored.catalog)
        revision = stored.catalog.revision
        return Shown({"revision": revision, "commands": to_plain(done), "moves": to_plain(moved)})

    return await change(
        request,
        caller,
        policy=Policy.NATIVE,
        dialect=dialect,
        read=read,
        show=show,
        comment=comment,
    )


def _moves(before: Catalog, after: Catalog) -> tuple[Move, ...]:
    touched, _ = touched_between(before, after)
    return moves(before, after, [("experiment", key) for key in touched])


def _commands(tree: Tree) -> tuple[Command, ...]:
    commands: tuple[Command, ...] = from_plain(tuple[Command, ...], tree, "$.commands")
    return commands
