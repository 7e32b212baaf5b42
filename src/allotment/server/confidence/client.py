"""Bodies in the JSON of protocol buffers, and the clients whose secret is in one: it is a token."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette.requests import Request

from allotment.dialects.confidence.schema.protobuf import Message, respelled
from allotment.dialects.confidence.schema.resolving import ConfidenceClient
from allotment.dialects.wire.model import read
from allotment.dialects.wire.source import Tree, read_json
from allotment.errors import Overloaded, Unauthorized
from allotment.server.http.limits import SMALL_BYTES, STRANGERS_MAX
from allotment.server.http.requests import body_read, header, json_body_of, query_of
from allotment.server.sync.spaces import Served
from allotment.server.writes.change import node_of
from allotment.store import Scope

C = TypeVar("C", bound=ConfidenceClient)


async def message_of(
    request: Request, model: type[Message], *, text: bool = False, required: bool = True
) -> Tree:
    """The JSON body, its fields spelled as the model has them; a large one off the event loop."""
    body = await json_body_of(request, text=text)
    if not body and not required:
        return {}

    def tree() -> Tree:
        return respelled(read_json(body), model)

    return tree() if len(body) <= SMALL_BYTES else await node_of(request).run(tree)


@dataclass(frozen=True, slots=True)
class Asked(Generic[C]):
    """What a client that may resolve says: its secret, its body, and what is served to it."""

    secret: bytes
    served: Served
    body: C


async def _stranger_said(request: Request, model: type[ConfidenceClient]) -> Tree:
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
        return await message_of(request, model, text=True)
    finally:
        strangers[address] -= 1
        if not strangers[address]:
            del strangers[address]


async def asked(request: Request, model: type[C]) -> Asked[C]:
    """What the caller asks, once it may.

    Raises Unauthorized for no secret or one that is no token's, and what any call raises.
    """
    query_of(request)
    tree = await _stranger_said(request, model)
    own = ConfidenceClient.model_fields
    said = {name: tree[name] for name in own if name in tree} if isinstance(tree, dict) else tree
    secret = (read(ConfidenceClient, said).clientSecret or "").encode()
    headers = request.scope["headers"]
    node = node_of(request)
    try:
        caller = node.access.caller(
            b"Bearer " + secret if secret else None,
            header(headers, b"allotment-space"),
            Scope.ASSIGN,
        )
    except Unauthorized as error:
        # How a header would say it is of no use to a caller that sends a body.
        message = str(error) if secret else "this needs a client secret"
        raise Unauthorized(message, "$.clientSecret") from None
    request.state.caller = caller
    served = await node.serve_from(caller.space, header(headers, b"allotment-min-revision"))
    if len(body_read(request)) <= SMALL_BYTES:
        return Asked(secret, served, read(model, tree))
    return Asked(secret, served, await node.run(read, model, tree))
