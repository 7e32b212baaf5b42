"""A change over HTTP, the same for every API: caller, conditions, idempotency, answer.

A route that changes something reads as

    caller = await admit(request, Scope.WRITE)
    tree = await tree_of(request)
    return await change(request, caller, policy=..., dialect=..., read=..., show=..., about=...)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from allotment.change.commands import Command
from allotment.change.lifecycle import Policy
from allotment.dialects.wire.source import DEPTH_MAX, Tree, read_json
from allotment.errors import InvalidInput
from allotment.server.auth.access import Caller
from allotment.server.http.answer import JSON, Answer, Headers, encode, respond
from allotment.server.http.etags import digest_of, etag
from allotment.server.http.limits import BODY_BYTES_MAX
from allotment.server.http.requests import body_read, header, json_body_of
from allotment.server.sync.node import Node
from allotment.server.writes.conditions import (
    About,
    check_conditions,
    once_of,
    recalled,
    unchanged,
    version_of,
)
from allotment.store import Scope, Stored

__all__ = [
    "ShownChange",
    "admit",
    "authenticated",
    "change",
    "holding",
    "node_of",
    "tree_of",
    "unchanged",
    "version_of",
]

_SMALL_BYTES: Final = 16 << 10


@dataclass(frozen=True, slots=True)
class ShownChange:
    """What a change answers with.

    tree     the body, or None for none
    noun     the (kind, key) whose version is the answer's ETag; None for the catalog's
    status   where it is another than the route says
    headers  more of them
    digest   whether the ETag also says how the noun is shown, as the vendors' answers to GET do
    """

    tree: object | None
    noun: tuple[str, str] | None = None
    status: int | None = None
    headers: Headers = ()
    digest: bool = False


def node_of(request: Request) -> Node:
    """The node that answers."""
    node: Node = request.app.state.node
    return node


async def admit(request: Request, needs: Scope, space: str | None = None) -> Caller:
    """Authenticate the caller of a space, and wait for `Allotment-Min-Revision`.

    `space` is the one that the path names, where it does; then no header names one.

    Raises Unauthorized, Forbidden, NotFound for a space that is not there, and what
    `Node.serve_from` raises.
    """
    caller = authenticated(request, needs, space)
    revision = header(request.scope["headers"], b"allotment-min-revision")
    await node_of(request).serve_from(caller.space, revision)
    return caller


def authenticated(request: Request, needs: Scope, space: str | None = None) -> Caller:
    """Authenticate the caller; does not check that the space exists."""
    headers = request.scope["headers"]
    authorization, named = (
        header(headers, each) for each in (b"authorization", b"allotment-space")
    )
    if named is None and space is not None:
        named = space.encode("latin-1")
    caller = node_of(request).access.caller(authorization, named, needs)
    if space not in (None, caller.space):
        message = "the path names another space; leave the header out"
        raise InvalidInput(message, "headers.Allotment-Space")
    request.state.caller = caller
    return caller


async def tree_of(
    request: Request, limit: int = BODY_BYTES_MAX, depth: int = DEPTH_MAX, *, text: bool = False
) -> Tree:
    """The JSON body as plain values; a large one is read off the event loop."""
    body = await json_body_of(request, limit, text=text)
    if len(body) < _SMALL_BYTES:
        return read_json(body, depth)
    return await node_of(request).run(read_json, body, depth)


async def change(  # noqa: PLR0913  # what a dialect says of a change
    request: Request,
    caller: Caller,
    *,
    policy: Policy,
    dialect: str,
    read: Callable[[Stored], Sequence[Command]],
    show: Callable[[Stored, Sequence[Command]], ShownChange],
    status: int = 200,
    about: About = lambda _stored: None,
    comment: str = "",
) -> Response:
    """Make a change and answer with its result.

    `read` makes the commands of the space as it is under the store's lock, once `If-Match` and
    `If-None-Match` hold for the noun that `about` names. `show` sees the space afterwards. A
    request that was made before under its `Idempotency-Key` gets its first answer.
    """
    made: list[Sequence[Command]] = []

    def reading(stored: Stored) -> Sequence[Command]:
        check_conditions(request, stored, about)
        made.append(read(stored))
        return made[-1]

    def answered(stored: Stored, commands: Sequence[Command]) -> Answer:
        return _answer(show(stored, commands), stored, status)

    node = node_of(request)
    if len(body_read(request)) > _SMALL_BYTES:  # its digest takes a while
        once = await node.run(once_of, request, caller.who, answered)
    else:
        once = once_of(request, caller.who, answered)
    committed = await node.write(
        caller.space,
        reading,
        policy=policy,
        dialect=dialect,
        who=caller.who,
        comment=comment,
        reach=caller.reach,
        once=once,
    )

    def answer() -> Answer:
        recorded = recalled(committed)
        return answered(committed.stored, made[-1]) if recorded is None else recorded

    return respond(await node.answer(answer))


@asynccontextmanager
async def holding(request: Request) -> AsyncIterator[list[Any]]:
    """A list to hold what a large body became; a thread empties it in the end."""
    held: list[Any] = []
    try:
        yield held
    finally:
        await node_of(request).drop(held)


def _answer(shown: ShownChange, stored: Stored, status: int) -> Answer:
    headers = [("allotment-revision", str(stored.catalog.revision)), *shown.headers]
    if shown.tree is None:
        return Answer(204 if status == 200 else status, tuple(headers), b"")
    body = encode(shown.tree)
    version = version_of(stored, shown.noun)
    if version:
        headers.append(("etag", etag(version, digest_of(body) if shown.digest else "")))
    return Answer(shown.status or status, (("content-type", JSON), *headers), body)
