"""`/v1/catalog/flags` and so on: nouns one by one, as the catalog file spells them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from allotment.change.commands import Command, Delete
from allotment.change.kinds import KINDS, shelf
from allotment.change.lifecycle import Policy
from allotment.server.answer import Answer, as_json, respond
from allotment.server.conditional import (
    Shown,
    admit,
    change,
    node_of,
    tree_of,
    unchanged,
    version_of,
)
from allotment.server.etags import etag
from allotment.server.limits import BODY_BYTES_MAX, LISTS_BYTES_MAX
from allotment.server.native.spelled import NESTED_MAX, keys_from, noun_of, read_noun, show_noun
from allotment.server.operation import closed, in_path, in_query, operation, spelled
from allotment.server.requests import query_of, whole
from allotment.store import Scope, Stored

router: Final = APIRouter()

_LIMIT: Final = 100
_LIMIT_MAX: Final = 1_000

_KEY: Final = in_path("key", spelled("key"), "The noun's key.")


async def list_nouns(kind: str, request: Request) -> Response:
    """Nouns of a kind by key, sorted, a page at a time."""
    query = query_of(request, ("limit", "after"))
    limit = whole(query.get("limit", str(_LIMIT)), "query.limit", 1, _LIMIT_MAX)
    caller = await admit(request, Scope.READ)
    node = node_of(request)
    stored = node.served(caller.space).stored

    def page() -> Answer:
        keys = keys_from(stored.catalog, kind, query.get("after", ""), limit + 1)
        shown = {key: show_noun(noun_of(stored.catalog, kind, key)) for key in keys[:limit]}
        following = keys[limit - 1] if len(keys) > limit else None
        headers = [("allotment-revision", str(stored.catalog.revision))]
        return as_json({f"{kind}s": shown, "next": following}, headers=headers)

    return respond(await node.run(page))


async def get_noun(kind: str, request: Request) -> Response:
    """One noun; `If-None-Match` with its version answers 304."""
    query_of(request)
    caller = await admit(request, Scope.READ)
    stored = node_of(request).served(caller.space).stored
    key = request.path_params["key"]
    noun = noun_of(stored.catalog, kind, key)
    tag = etag(version_of(stored, (kind, key)))
    headers = (("etag", tag), ("allotment-revision", str(stored.catalog.revision)))
    if unchanged(request, tag):
        return respond(Answer(304, headers, b""))
    return respond(await asyncio.to_thread(lambda: as_json(show_noun(noun), headers=headers)))


async def put_noun(kind: str, request: Request) -> Response:
    """Put a noun in place of the one under its key, or bring it in."""
    query_of(request)
    caller = await admit(request, Scope.WRITE)
    limit = LISTS_BYTES_MAX if kind == "segment" else BODY_BYTES_MAX
    tree = await tree_of(request, limit, NESTED_MAX)
    key = request.path_params["key"]
    was_there = False

    def read(stored: Stored) -> Sequence[Command]:
        nonlocal was_there
        was_there = key in shelf(stored.catalog, kind)
        return read_noun(kind, key, tree, stored.catalog)

    def show(stored: Stored, _commands: Sequence[Command]) -> Shown:
        shown = show_noun(noun_of(stored.catalog, kind, key))
        return Shown(shown, (kind, key), 200 if was_there else 201)

    return await change(
        request,
        caller,
        policy=Policy.NATIVE,
        dialect="native",
        read=read,
        show=show,
        about=lambda _stored: (kind, key),
    )


async def delete_noun(kind: str, request: Request) -> Response:
    """Remove a noun that nothing refers to."""
    query_of(request)
    caller = await admit(request, Scope.WRITE)
    key = request.path_params["key"]

    def read(stored: Stored) -> Sequence[Command]:
        noun_of(stored.catalog, kind, key)
        return (Delete(kind, key),)

    return await change(
        request,
        caller,
        policy=Policy.NATIVE,
        dialect="native",
        read=read,
        show=lambda _stored, _commands: Shown(None),
        status=204,
        about=lambda _stored: (kind, key),
    )


def _add(kind: str) -> None:
    """The routes of one kind of noun."""
    named: Any = {"response_class": Response, "name": kind}
    page = closed(
        {
            f"{kind}s": {
                "type": "object",
                "propertyNames": spelled("key"),
                "additionalProperties": spelled(kind),
            },
            "next": {"type": ["string", "null"], "description": "Where the next page begins."},
        }
    )
    parameters = (
        in_query(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": _LIMIT_MAX, "default": _LIMIT},
            "How many there are on a page.",
        ),
        in_query("after", {"type": "string"}, "The page's `next`, to go on."),
    )
    router.add_api_route(
        f"/v1/catalog/{kind}s",
        partial(list_nouns, kind),
        openapi_extra=operation(
            f"List the {kind}s", Scope.READ, {200: page}, parameters=parameters
        ),
        operation_id=f"list_{kind}s",
        **named,
    )
    at = f"/v1/catalog/{kind}s/{{key}}"
    router.add_api_route(
        at,
        partial(get_noun, kind),
        openapi_extra=operation(
            f"Get a {kind}", Scope.READ, {200: spelled(kind), 304: None}, parameters=(_KEY,)
        ),
        operation_id=f"get_{kind}",
        **named,
    )
    router.add_api_route(
        at,
        partial(put_noun, kind),
        methods=["PUT"],
        openapi_extra=operation(
            f"Put a {kind} in place of the one under its key, or bring it in",
            Scope.WRITE,
            {200: spelled(kind), 201: spelled(kind)},
            parameters=(_KEY,),
            body=spelled(kind),
            conditional=True,
        ),
        operation_id=f"put_{kind}",
        **named,
    )
    router.add_api_route(
        at,
        partial(delete_noun, kind),
        methods=["DELETE"],
        openapi_extra=operation(
            f"Remove a {kind} that nothing refers to",
            Scope.WRITE,
            {204: None},
            parameters=(_KEY,),
            conditional=True,
        ),
        operation_id=f"delete_{kind}",
        status_code=204,
        **named,
    )


for _kind in KINDS:
    _add(_kind)
