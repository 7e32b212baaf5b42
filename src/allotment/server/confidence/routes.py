"""Confidence's API: the operations of the dialect, at the paths of the vendor."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from allotment.change.lifecycle import Policy
from allotment.dialects.confidence.fields import ConfidenceError
from allotment.dialects.confidence.operations import OPERATIONS
from allotment.dialects.confidence.protobuf import Message
from allotment.dialects.wire.mask import camel
from allotment.dialects.wire.operation import Changing
from allotment.dialects.wire.source import Tree
from allotment.server.api.mount import Api, mount
from allotment.server.api.vendor_errors import JSON
from allotment.server.confidence.resolve import message_of

# A mask may be given in parts: repeated, or as the one field of the message that it is.
_MASK: Final = "updateMask"
_MASKS: Final = (_MASK, f"{_MASK}.paths")


class SpelledRoute(APIRoute):
    """A route that takes either spelling of its query, and a mask in parts."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, with its query as the models have it."""
        query = _respelled(scope["query_string"].decode("latin-1"))
        await super().handle({**scope, "query_string": query}, receive, send)


def _respelled(query: str) -> bytes:
    given = [(camel(name), text) for name, text in parse_qsl(query, keep_blank_values=True)]
    mask = [text for name, text in given if name in _MASKS]
    others = [(name, text) for name, text in given if name not in _MASKS]
    return urlencode([*others, *([(_MASK, ",".join(mask))] if mask else [])]).encode()


async def _tree(request: Request, operation: Changing) -> Tree:
    """The body; that of a custom method says nothing where it is empty."""
    model = operation.body or Message
    assert issubclass(model, Message), "every body here is a message"
    return await message_of(request, model, required=":" not in operation.path)


API: Final = Api(
    "confidence",
    Policy.CONFIDENCE,
    "/v1",
    JSON,
    ConfidenceError,
    tree=_tree,
    route_class=SpelledRoute,
)
router: Final[APIRouter] = mount(API, OPERATIONS)
