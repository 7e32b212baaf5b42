"""Who resolves: the client secret in a body is a token, which need reach no further than assign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from allotment.dialects.wire.place import Place
from allotment.errors import Unauthorized
from allotment.server.caller import LOOPBACK
from allotment.server.conditional import node_of, refuse_foreign_pages
from allotment.server.confidence.api import tree_of
from allotment.server.requests import query_of, single, whole
from allotment.server.served import Served
from allotment.store import Scope

_SECRET_MAX: Final = 4_096
_REVISION_MAX: Final = 10**17


@dataclass(frozen=True, slots=True)
class Client:
    """A client that may resolve: the secret it gave, and what is served of its space."""

    secret: bytes
    served: Served


async def client_and_body(request: Request) -> tuple[Client, Place]:
    """Whoever calls, once they may, and what they say.

    Raises Unauthorized for no secret or one that is no token's, and what any call raises.
    """
    query_of(request)
    body = Place(await tree_of(request, text=True))
    place = body.at("clientSecret")
    secret = place.text(0, _SECRET_MAX).encode() if place.given and not place.null else b""
    space = single(request, "allotment-space")
    node = node_of(request)
    try:
        caller = node.access.caller(
            b"Bearer " + secret if secret else None,
            None if space is None else space.encode("latin-1"),
            request.client.host if request.client else None,
            Scope.ASSIGN,
        )
    except Unauthorized as error:
        # How a header would say it is of no use to who sends a body.
        raise Unauthorized(
            str(error) if secret else "this needs a client secret", place.path
        ) from None
    if caller.who == LOOPBACK:
        refuse_foreign_pages(request)
    request.state.space = caller.space
    node.served(caller.space)
    wanted = single(request, "allotment-min-revision")
    if wanted is not None:
        revision = whole(wanted, "headers.Allotment-Min-Revision", 0, _REVISION_MAX)
        await node.at_least(caller.space, revision)
    return Client(secret, node.served(caller.space)), body
