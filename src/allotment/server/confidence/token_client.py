"""Who resolves: the client secret in a body is a token, which need reach no further than assign."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.errors import Overloaded, Unauthorized
from allotment.server.confidence.api import tree_of
from allotment.server.http.limits import STRANGERS_MAX
from allotment.server.http.requests import min_revision, query_of, single
from allotment.server.sync.spaces import Served
from allotment.server.writes.change import node_of
from allotment.store import Scope

_SECRET_MAX: Final = 4_096


@dataclass(frozen=True, slots=True)
class Client:
    """A client that may resolve: the secret it gave, and what is served of its space."""

    secret: bytes
    served: Served


async def _stranger_said(request: Request) -> Tree:
    """The body of a caller that is not known before it is read.

    Raises Overloaded where others at the same address are still sending theirs.
    """
    strangers: Counter[str] = request.app.state.strangers
    address = request.client.host if request.client else ""
    if strangers[address] >= STRANGERS_MAX:
        node_of(request).counters.shed["strangers"] += 1
        raise Overloaded("others at this address are still sending what they ask; ask again soon")
    strangers[address] += 1
    try:
        return await tree_of(request, text=True)
    finally:
        strangers[address] -= 1
        if not strangers[address]:
            del strangers[address]


async def client_and_body(request: Request) -> tuple[Client, Place]:
    """Whoever calls, once they may, and what they say.

    Raises Unauthorized for no secret or one that is no token's, and what any call raises.
    """
    query_of(request)
    body = Place(await _stranger_said(request))
    place = body.at("clientSecret")
    secret = place.text(0, _SECRET_MAX).encode() if place.given and not place.null else b""
    space = single(request, "allotment-space")
    node = node_of(request)
    try:
        caller = node.access.caller(
            b"Bearer " + secret if secret else None,
            None if space is None else space.encode("latin-1"),
            Scope.ASSIGN,
        )
    except Unauthorized as error:
        # How a header would say it is of no use to who sends a body.
        raise Unauthorized(
            str(error) if secret else "this needs a client secret", place.path
        ) from None
    request.state.space = caller.space
    node.served(caller.space)
    wanted = single(request, "allotment-min-revision")
    if wanted is not None:
        await node.at_least(caller.space, min_revision(wanted))
    return Client(secret, node.served(caller.space)), body
