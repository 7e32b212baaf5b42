"""Routes that are made when the first request comes that may be for one of them.

To import a vendor's models and to make its routes takes a tenth of a second and ten megabytes. A
server is ready that much sooner, and few of them are asked through every API.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from fastapi import FastAPI
from starlette.routing import BaseRoute, Match

from allotment.server.http.asgi import Receive, Scope, Send
from allotment.server.http.problems import begins


class LazyRoutes(BaseRoute):
    """Stands where the routes of an API will stand, which are all under some paths.

    `make` gives them. It runs once, in a thread; requests that come while it runs wait for it.
    """

    def __init__(self, paths: Sequence[str], make: Callable[[], Sequence[BaseRoute]]) -> None:
        self._paths = paths
        self._make = make
        self._making = asyncio.Lock()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the request may be for one of the routes."""
        is_here = scope["type"] == "http" and any(begins(scope["path"], at) for at in self._paths)
        return (Match.FULL if is_here else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the routes, whichever of them it is for, if any."""
        await self.put(scope["app"])
        await scope["app"].router(scope, receive, send)

    async def put(self, app: FastAPI) -> None:
        """Put the routes here, in place of this."""
        async with self._making:
            routes = app.router.routes
            if self in routes:
                made = await app.state.node.run(self._make)
                at = routes.index(self)
                routes[at : at + 1] = made


async def make_all(app: FastAPI) -> None:
    """Make the routes that are not made yet, for the document that describes them all."""
    for route in tuple(app.router.routes):
        if isinstance(route, LazyRoutes):
            await route.put(app)
