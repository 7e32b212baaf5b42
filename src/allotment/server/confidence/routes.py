"""Confidence's API: the operations of the dialect, and what clients call, at the vendor's paths."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from allotment.change.lifecycle import Policy
from allotment.dialects.confidence import codes
from allotment.dialects.confidence.operations import OPERATIONS
from allotment.dialects.confidence.schema.fields import ConfidenceError
from allotment.dialects.confidence.schema.protobuf import Message
from allotment.dialects.wire.mask import camel
from allotment.dialects.wire.operation import Changing
from allotment.dialects.wire.source import Tree
from allotment.errors import AllotmentError
from allotment.server.api.mount import Api, mount
from allotment.server.confidence import resolve
from allotment.server.confidence.client import message_of
from allotment.server.http.answer import Answer
from allotment.server.http.problems import presentable

_CONTENT_TYPE: Final = "application/json"

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


def show_error(error: AllotmentError) -> Answer:
    """The answer for any error under this API's paths."""
    body = codes.show_error(error)
    body["message"] = presentable(str(body["message"]))
    headers = (("content-type", _CONTENT_TYPE), ("cache-control", "no-store"))
    return Answer(codes.status_of(error), headers, msgspec.json.encode(body))


API: Final = Api(
    "confidence",
    Policy.CONFIDENCE,
    "/v1",
    ("/v1/workflows", "/v1/flags", "/v1/segments"),
    _CONTENT_TYPE,
    ConfidenceError,
    show_error,
    tree=_tree,
    route_class=SpelledRoute,
)
router: Final[APIRouter] = mount(API, OPERATIONS)
router.routes.extend(resolve.router.routes)
