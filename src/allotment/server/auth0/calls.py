"""How an Auth0 call goes: who, which noun, what is shown. A row in `routes` says the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response

from allotment.change.commands import Command
from allotment.change.lifecycle import Policy
from allotment.dialects.auth0.codes import QUERY
from allotment.dialects.auth0.lists import Versions
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.server.answer import Answer, as_json, respond
from allotment.server.auth0.errors import CONTENT_TYPE
from allotment.server.conditional import (
    Shown,
    admit,
    change,
    given,
    node_of,
    tree_of,
    version_of,
)
from allotment.server.conditions import is_conditional
from allotment.server.etags import etag
from allotment.server.requests import query_of
from allotment.store import Scope, Stored

Noun = tuple[str, str]
Ids = Mapping[str, str]
Endpoint = Callable[[Request], Awaitable[Response]]

# The noun that the ids in a path name, in a catalog; raises the 404.
Find = Callable[[Ids, Catalog], Noun]

# What is shown of the noun, once the commands, if there were any, have been done.
Show = Callable[[Ids, Noun, Stored, Sequence[Command]], Tree]

Read = Callable[[Asked, Catalog], Sequence[Command]]
Made = Callable[[Sequence[Command]], Noun]


def listing(show: Callable[[Place, Catalog, Versions], Tree], known: Collection[str]) -> Endpoint:
    """Answers with a list, made off the event loop: a large catalog takes its time."""

    async def endpoint(request: Request) -> Response:
        caller = await admit(request, Scope.READ)
        query = Place(dict(query_of(request, known)), QUERY)
        stored = node_of(request).served(caller.space).stored

        def listed() -> Answer:
            return as_json(show(query, stored.catalog, stored.versions))

        return _shown(await node_of(request).run(listed))

    return endpoint


def getting(find: Find, show: Show, *, tagged: bool = True) -> Endpoint:
    """Answers with what is shown of one noun, under the tag that a change of it may name.

    Never with 304: an experiment also shows what is so of its flag and of others.
    """

    async def endpoint(request: Request) -> Response:
        caller = await admit(request, Scope.READ)
        query_of(request)
        stored = node_of(request).served(caller.space).stored
        ids = request.path_params
        noun = find(ids, stored.catalog)
        tags = (("etag", etag(version_of(stored, noun))),) if tagged else ()
        return _shown(as_json(show(ids, noun, stored, ()), headers=tags))

    return endpoint


def changing(
    read: Read,
    find: Find | None,
    show: Show | None,
    *,
    made: Made | None = None,
    status: int = 200,
) -> Endpoint:
    """Makes a change and answers with the noun as it is then.

    Where `show` is None there is nothing to answer with, and the call has no body either.
    Conditions are about the noun that `find` finds. Where a call creates another one, `made` tells
    from the commands which.
    """

    async def endpoint(request: Request) -> Response:
        caller = await admit(request, Scope.WRITE)
        query_of(request)
        ids, body = request.path_params, Place(await tree_of(request) if show is not None else None)
        asked = Asked(ids, body, given())

        def about(stored: Stored) -> Noun | None:
            # What creates or deletes a noun also edits the flag that lists it: that is read anew
            # where any part of the catalog changed meanwhile, unless the client named the noun.
            named = find and (show is not None or is_conditional(request))
            return find(ids, stored.catalog) if find and named else None

        def shown(stored: Stored, commands: Sequence[Command]) -> Shown:
            if show is None:
                return Shown(None)
            noun = made(commands) if made else find(ids, stored.catalog) if find else ("", "")
            return Shown(show(ids, noun, stored, commands), noun)

        response = await change(
            request,
            caller,
            policy=Policy.AUTH0,
            dialect="auth0",
            read=lambda stored: read(asked, stored.catalog),
            show=shown,
            status=status,
            about=about,
            # What is sent replaces sets whole: those of the noun as it was read, and no other's.
            whole=True,
        )
        if show is not None:
            response.headers["content-type"] = CONTENT_TYPE
        return response

    return endpoint


def _shown(answer: Answer) -> Response:
    response = respond(answer)
    response.headers["content-type"] = CONTENT_TYPE
    return response
