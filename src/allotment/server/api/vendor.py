"""How a call of a vendor's API goes: who, which noun, what is shown. A row in `routes` says the
rest, and the dialect all that is the vendor's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from allotment.change.commands import Command
from allotment.change.lifecycle import Policy
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Versions
from allotment.model.catalog import Catalog
from allotment.server.http.answer import Answer, as_json, encode, respond
from allotment.server.http.etags import digest_of, etag
from allotment.server.http.requests import query_of
from allotment.server.writes.change import (
    Shown,
    admit,
    change,
    given,
    node_of,
    tree_of,
    unchanged,
    version_of,
)
from allotment.store import Scope, Stored

# Where a query stands in the paths of errors.
QUERY = "query"

Noun = tuple[str, str]
Ids = Mapping[str, str]
Endpoint = Callable[[Request], Awaitable[Response]]

# The noun that the ids in a path name, in a catalog; raises the 404.
Find = Callable[[Ids, Catalog], Noun]

# What is shown of the noun, once the commands, if there were any, have been done.
Show = Callable[[Asked, Noun, Stored, Sequence[Command]], Tree]

ShowList = Callable[[Asked, Catalog, Versions], Tree]
Read = Callable[[Asked, Catalog], Sequence[Command]]
Made = Callable[[Sequence[Command]], Noun]


@dataclass(frozen=True, slots=True)
class Vendor:
    """What all calls of one API have in common.

    content_type  of every answer that has a body
    space         the space that a request's path names; None where its token does
    tree          the JSON of a request's body, once its headers are as they have to be
    comment       what a body says to the journal
    """

    policy: Policy
    dialect: str
    content_type: str
    space: Callable[[Request], str | None] = lambda _request: None
    tree: Callable[[Request], Awaitable[Tree]] = tree_of
    comment: Callable[[Tree], str] = lambda _body: ""

    def listing(self, show: ShowList, known: Collection[str] = ()) -> Endpoint:
        """Answers with a list, made off the event loop: a large catalog takes its time."""

        async def endpoint(request: Request) -> Response:
            caller = await admit(request, Scope.READ, self.space(request))
            asked = _asked(request, known)
            stored = node_of(request).served(caller.space).stored

            def listed() -> Answer:
                return as_json(show(asked, stored.catalog, stored.versions))

            return self.shown(await node_of(request).run(listed))

        return endpoint

    def getting(
        self, find: Find, show: Show, known: Collection[str] = (), *, tagged: bool = True
    ) -> Endpoint:
        """Answers with what is shown of one noun, under the tag that a change of it may name.

        An experiment also shows what is so of its flag and of others: so the tag has a digest of
        the answer, and the client has it already only where that is the same.
        """

        async def endpoint(request: Request) -> Response:
            caller = await admit(request, Scope.READ, self.space(request))
            asked = _asked(request, known)
            node = node_of(request)
            stored = node.served(caller.space).stored
            noun = find(asked.ids, stored.catalog)
            body = await node.run(lambda: encode(show(asked, noun, stored, ())))
            if not tagged:
                return self.shown(Answer(200, (), body))
            tag = etag(version_of(stored, noun), digest_of(body))
            if unchanged(request, tag):
                return respond(Answer(304, (("etag", tag),), b""))
            return self.shown(Answer(200, (("etag", tag),), body))

        return endpoint

    def changing(  # noqa: PLR0913  # what a row says of a change
        self,
        read: Read,
        find: Find | None,
        show: Show | None,
        *,
        made: Made | None = None,
        status: int = 200,
        known: Collection[str] = (),
    ) -> Endpoint:
        """Makes a change and answers with the noun as it is then.

        Where `show` is None there is nothing to answer with, and the call has no body either.
        Conditions are about the noun that `find` finds. Where a call creates another one, `made`
        tells from the commands which.
        """

        async def endpoint(request: Request) -> Response:
            caller = await admit(request, Scope.WRITE, self.space(request))
            body = await self.tree(request) if show is not None else None
            asked = _asked(request, known, body)

            def about(stored: Stored) -> Noun | None:
                return find(asked.ids, stored.catalog) if find else None

            def commands(stored: Stored) -> Sequence[Command]:
                if find and show is not None:  # a DELETE of what is not there is no error
                    find(asked.ids, stored.catalog)
                return read(replace(asked, versions=stored.versions), stored.catalog)

            def shown(stored: Stored, commands: Sequence[Command]) -> Shown:
                if show is None:
                    return Shown(None)
                catalog = stored.catalog
                noun = made(commands) if made else find(asked.ids, catalog) if find else ("", "")
                return Shown(show(asked, noun, stored, commands), noun, digest=True)

            response = await change(
                request,
                caller,
                policy=self.policy,
                dialect=self.dialect,
                read=commands,
                show=shown,
                status=status,
                about=about,
                comment=self.comment(body),
            )
            if show is not None:
                response.headers["content-type"] = self.content_type
            return response

        return endpoint

    def shown(self, answer: Answer) -> Response:
        """An answer as this API sends it."""
        response = respond(answer)
        response.headers["content-type"] = self.content_type
        return response


def _asked(request: Request, known: Collection[str], body: Tree = None) -> Asked:
    query = Place(dict(query_of(request, known)), QUERY)
    return Asked(request.path_params, query, Place(body), given())
