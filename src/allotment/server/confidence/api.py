"""How the calls of this API go, and how each gets its route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from allotment.change.lifecycle import Policy
from allotment.dialects.wire.mask import camel
from allotment.dialects.wire.source import Tree, read_json
from allotment.server.api.vendor import Endpoint, Vendor
from allotment.server.confidence.errors import CONTENT_TYPE, show_error
from allotment.server.confidence.router import router
from allotment.server.confidence.schemas import Schema
from allotment.server.confidence.spelled import respelled
from allotment.server.http.answer import JSON
from allotment.server.http.limits import SMALL_BYTES
from allotment.server.http.problems import RENDERERS
from allotment.server.http.requests import body_read, json_body_of
from allotment.server.writes.change import node_of
from allotment.server.writes.change import tree_of as json_tree_of

# Where this API's paths begin; what else begins so is answered as it answers.
for _prefix in ("/v1/workflows", "/v1/flags", "/v1/segments"):
    RENDERERS[_prefix] = show_error

# A mask may be given in parts: repeated, or as the one field of the message that it is.
_JOINED: Final = {"updateMask": "updateMask", "updateMask.paths": "updateMask"}


async def tree_of(request: Request, *, text: bool = False) -> Tree:
    """The body, its fields spelled as the OpenAPI document has them."""
    tree = await json_tree_of(request, text=text)
    if len(body_read(request)) <= SMALL_BYTES:
        return respelled(tree, request.state.body_schema)
    return await node_of(request).run(respelled, tree, request.state.body_schema)


async def _tree_if_any(request: Request) -> Tree:
    """The body of a custom method, which says nothing where it is empty."""
    body = await json_body_of(request)
    schema = request.state.body_schema
    if len(body) <= SMALL_BYTES:
        return respelled(read_json(body), schema) if body else {}
    return await node_of(request).run(lambda: respelled(read_json(body), schema))


VENDOR: Final = Vendor(Policy.CONFIDENCE, "confidence", CONTENT_TYPE, tree=tree_of)

# For custom methods, which need no body.
METHOD: Final = replace(VENDOR, tree=_tree_if_any)


def add(method: str, path: str, name: str, endpoint: Endpoint, said: Mapping[str, Any]) -> None:
    """Put a route of this API where its calls are answered; `name` is that of its operation."""
    body: Schema = {}
    if "requestBody" in said:
        body = said["requestBody"]["content"][JSON]["schema"]
    router.add_api_route(
        path,
        _spelled(endpoint, body),
        methods=[method],
        name=f"confidence_{name}",
        operation_id=f"confidence_{name}",
        openapi_extra=dict(said),
        response_class=Response,
        status_code=next(int(status) for status in said["responses"]),
    )


def _spelled(endpoint: Endpoint, body: Schema) -> Endpoint:
    """The endpoint, for queries that spell names in snake_case, or give a mask in parts."""

    async def spelled(request: Request) -> Response:
        request.state.body_schema = body
        given = request.query_params.multi_items()
        if not given:
            return await endpoint(request)
        items: list[tuple[str, str]] = []
        joined: dict[str, list[str]] = {}
        for name, value in given:
            known = camel(name)
            if known in _JOINED:
                joined.setdefault(_JOINED[known], []).append(value)
            else:
                items.append((known, value))
        items.extend((name, ",".join(values)) for name, values in joined.items())
        scope = {**request.scope, "query_string": urlencode(items).encode()}
        return await endpoint(Request(scope, request.receive))

    return spelled
