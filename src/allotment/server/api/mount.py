"""Mounts a vendor's operations as routes of FastAPI.

`mount` makes a route of each operation: its dependencies admit the caller and read the body, its
endpoint reads the commands, makes the change and shows the noun.
"""

# No postponed annotations: FastAPI reads the annotations of the endpoints made here.

import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response, Security
from fastapi.routing import APIRoute

from allotment.change.commands import Command
from allotment.change.lifecycle import Policy
from allotment.dialects.wire.model import Body, Model, Update, read
from allotment.dialects.wire.operation import (
    NOTHING,
    Call,
    Changing,
    Getting,
    Ids,
    Listing,
    Noun,
    Operation,
    ReadState,
    taken,
)
from allotment.dialects.wire.source import Tree
from allotment.server.api.operation import (
    CONDITIONS,
    HEADERS,
    READING,
    SPACE,
    WRITING,
    headers_taken,
    ref,
)
from allotment.server.api.route import BEARER, query_parameters, read_query, schemas_of
from allotment.server.auth.access import Caller
from allotment.server.http.answer import Answer, respond
from allotment.server.http.etags import digest_of, etag
from allotment.server.http.requests import query_of
from allotment.server.vendors import read_vendors
from allotment.server.writes.change import (
    ShownChange,
    admit,
    change,
    node_of,
    tree_of,
    unchanged,
    version_of,
)
from allotment.store import Scope, Stored

Endpoint = Callable[..., Awaitable[Response]]


def _path_names_no_space(_request: Request) -> str | None:
    return None


def _body_names_no_space(_request: Request, _operation: Changing, _tree: Tree) -> str | None:
    return None


async def _tree(request: Request, _operation: Changing) -> Tree:
    return await tree_of(request)


def _no_comment(_tree: Tree) -> str:
    return ""


def _state(_request: Request, _caller: Caller, stored: Stored) -> ReadState:
    return stored


@dataclass(frozen=True, slots=True)
class Api:
    """What all operations of one API have in common.

    prefix      stands before every path
    error       the model of every error; `vendor_errors` makes the answer
    space       the space that a path names; None where the token or a header does
    named       the space that a body names
    tree        the JSON of a body, once the headers are as they have to be
    comment     what a body says to the journal
    state       what views see of a space
    """

    dialect: str
    policy: Policy
    prefix: str
    content_type: str
    error: type[Model]
    space: Callable[[Request], str | None] = _path_names_no_space
    named: Callable[[Request, Changing, Tree], str | None] = _body_names_no_space
    tree: Callable[[Request, Changing], Awaitable[Tree]] = _tree
    comment: Callable[[Tree], str] = _no_comment
    state: Callable[[Request, Caller, Stored], ReadState] = _state
    route_class: type[APIRoute] = APIRoute


def mount(api: Api, operations: Iterable[Operation]) -> APIRouter:
    """A router with a route of each operation."""
    router = APIRouter(prefix=api.prefix, tags=[api.dialect], route_class=api.route_class)
    callers = {scope: _admitted(api, scope) for scope in (Scope.READ, Scope.WRITE)}
    for each in operations:
        scope = Scope.WRITE if isinstance(each, Changing) else Scope.READ
        status = each.status if isinstance(each, Changing) else 200
        name = f"{api.dialect}_{each.name}"
        router.add_api_route(
            each.path,
            _endpoint(api, each, Depends(callers[scope])),
            methods=[each.method],
            name=name,
            operation_id=name,
            summary=each.name.replace("_", " ").capitalize(),
            description=each.description,
            status_code=status,
            response_model=each.answer,
            response_description="Done." if each.answer is None else "What was asked for.",
            dependencies=[Depends(_id(name, said)) for name, said in each.ids.items()],
            responses=_responses(api, each, status),
            openapi_extra=_extra(each, scope),
        )
    return router


# The dependencies of an operation.


def _admitted(api: Api, scope: Scope) -> Callable[..., Awaitable[Caller]]:
    async def admitted(request: Request, _token: Annotated[object, Security(BEARER)]) -> Caller:
        return await admit(request, scope, api.space(request))

    return admitted


def _id(name: str, said: str) -> Callable[..., Awaitable[None]]:
    # Of a plain function the framework would make a call in a thread.
    async def documented(_id: Annotated[str, Path(alias=name, description=said)]) -> None:
        """Documents an id of the path, which `find` looks up."""

    return documented


# The endpoints.


def _endpoint(api: Api, operation: Operation, admitted: Any) -> Endpoint:
    match operation:
        case Listing():
            return _listing(api, operation, admitted)
        case Getting():
            return _getting(api, operation, admitted)
        case Changing():
            return _changing(api, operation, admitted)
    raise TypeError(f"{operation.name} is no kind of operation")


def _listing(api: Api, operation: Listing, admitted: Any) -> Endpoint:
    async def endpoint(request: Request, caller: Annotated[Caller, admitted]) -> Response:
        query = _query(request, operation)
        node = node_of(request)
        state = api.state(request, caller, node.served(caller.space).stored)
        # A large catalog takes its time, off the event loop.
        body = await node.run(lambda: operation.show(query, state).json_bytes())
        return _shown(api, Answer(200, (), body))

    return endpoint


def _getting(api: Api, operation: Getting, admitted: Any) -> Endpoint:
    async def endpoint(request: Request, caller: Annotated[Caller, admitted]) -> Response:
        query = _query(request, operation)
        node = node_of(request)
        stored = node.served(caller.space).stored
        noun = _found(operation, request.path_params, stored)
        state = api.state(request, caller, stored)
        # What is large takes its time, off the event loop.
        asked = taken(operation.view, query=query)
        body = await node.run(lambda: operation.view(state, noun, **asked).json_bytes())
        if not operation.tagged:
            return _shown(api, Answer(200, (), body))
        # The answer also shows other nouns, so the tag has a digest of it.
        tag = etag(version_of(stored, noun[:2]), digest_of(body))
        if unchanged(request, tag):
            return respond(Answer(304, (("etag", tag),), b""))
        return _shown(api, Answer(200, (("etag", tag),), body))

    return endpoint


def _changing(api: Api, operation: Changing, admitted: Any) -> Endpoint:
    find, view = operation.find, operation.view

    async def endpoint(request: Request, caller: Annotated[Caller, admitted]) -> Response:
        tree = await api.tree(request, operation) if operation.body is not None else None
        named = api.named(request, operation, tree)
        if named is not None:
            caller = await admit(request, Scope.WRITE, named)
        query = _query(request, operation)
        ids, now = request.path_params, int(time.time() * 1000)
        account = read_vendors(request.app.state.settings.vendor_profiles).get(api.dialect)

        def about(stored: Stored) -> tuple[str, str] | None:
            return find(ids, stored.catalog)[:2] if find else None

        def commands(stored: Stored) -> Sequence[Command]:
            body = _body(operation, tree, query, ids, stored)
            asked = taken(operation.read, query=query)
            call = Call(ids, body, now, secrets.token_hex, account)
            return operation.read(call, stored.catalog, **asked)

        def shown(stored: Stored, done: Sequence[Command]) -> ShownChange:
            if view is None:
                return ShownChange(None)
            noun = operation.made(done) if operation.made else _found(operation, ids, stored)
            state = api.state(request, caller, stored)
            asked = taken(view, query=query, done=done)
            return ShownChange(view(state, noun, **asked), noun[:2], digest=True)

        response = await change(
            request,
            caller,
            policy=api.policy,
            dialect=api.dialect,
            read=commands,
            show=shown,
            status=operation.status,
            about=about,
            comment=api.comment(tree),
        )
        if view is not None:
            response.headers["content-type"] = api.content_type
        return response

    return endpoint


def _query(request: Request, operation: Operation) -> Body | None:
    """The query as its model; None where the operation has none."""
    if operation.query is not None:
        return read_query(request, operation.query)
    query_of(request)
    return None


def _body(
    operation: Changing, tree: Tree, query: Body | None, ids: Ids, stored: Stored
) -> Body | None:
    noun = _found(operation, ids, stored)
    if operation.body is None:
        return None
    if not issubclass(operation.body, Update) or noun is NOTHING or operation.view is None:
        return read(operation.body, tree)
    return operation.body.changes(tree, operation.view(stored, noun).plain(), query)


def _found(operation: Getting | Changing, ids: Ids, stored: Stored) -> Noun:
    return operation.find(ids, stored.catalog) if operation.find else NOTHING


def _shown(api: Api, answer: Answer) -> Response:
    response = respond(answer)
    response.headers["content-type"] = api.content_type
    return response


# The OpenAPI document.


def _responses(api: Api, operation: Operation, status: int) -> dict[int | str, dict[str, Any]]:
    unchanged: dict[int | str, dict[str, Any]] = {}
    if isinstance(operation, Getting) and operation.tagged:
        unchanged = {304: {"description": "It has not changed.", "headers": HEADERS}}
    refusals = WRITING if isinstance(operation, Changing) else READING
    return {
        status: {"headers": HEADERS},
        **unchanged,
        **{each: {"description": HTTPStatus(each).phrase, "model": api.error} for each in refusals},
    }


def _extra(operation: Operation, scope: Scope) -> dict[str, Any]:
    changes = isinstance(operation, Changing)
    parameters = headers_taken((*SPACE, *(CONDITIONS if changes else ())))
    said: dict[str, Any] = {"x-allotment-scope": str(scope), "parameters": parameters}
    if isinstance(operation, Changing) and operation.body is not None:
        content = {"application/json": {"schema": ref(operation.body.__name__)}}
        said["requestBody"] = {"required": True, "content": content}
    if operation.query is not None:
        parameters += query_parameters(operation.query)
    return said


def body_schemas(operations: Iterable[Operation]) -> dict[str, Any]:
    """The schemas of all bodies by name; FastAPI finds those of the answers itself."""
    changing = (one for one in operations if isinstance(one, Changing))
    return schemas_of(one.body for one in changing if one.body is not None)
