"""The application: the assignment paths stand in front, the framework has everything else."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from typing import Any, Final

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from allotment.errors import AllotmentError
from allotment.server.api import vendor_errors
from allotment.server.assign.app import AssignPaths
from allotment.server.confidence import resolve
from allotment.server.connection.state import connections_max
from allotment.server.exposure_log import ExposureLog
from allotment.server.front import Front
from allotment.server.http.answer import Answer, Answering, AtOnce, respond
from allotment.server.http.asgi import App, Receive, Scope, Send
from allotment.server.http.cors import Cors, read_origins
from allotment.server.http.limits import STREAMS_PART
from allotment.server.http.local import OnlyLocal
from allotment.server.http.problems import RENDERERS, answer_error, request_id_of
from allotment.server.http.refusals import MethodNotAllowed, NoSuchPath
from allotment.server.lazy_routes import LazyRoutes
from allotment.server.metrics import Metrics
from allotment.server.native import (
    changes,
    commands,
    journal,
    snapshot,
    spaces,
    status,
    stream,
    tokens,
)
from allotment.server.native.changes import Lists
from allotment.server.native.shared_answers import SharedAnswers
from allotment.server.ofrep import errors
from allotment.server.ofrep.app import OfrepPaths
from allotment.server.settings import Settings
from allotment.server.shared_metrics import SharedMetrics
from allotment.server.sticky import routes as kept
from allotment.server.sticky.assignments import StickyAssignments
from allotment.server.streams import Streams
from allotment.server.sync.node import Node
from allotment.server.turns import Turns

# What is made with the first request for it, with the beginnings of all its paths: what takes
# longest to import. What clients ask for each answer, or all at once after a restart, is there from
# the start.
_NATIVE: Final = {
    "allotment.server.native.preview": ("/v1/preview", "/v1/compare"),
    "allotment.server.native.nouns": ("/v1/catalog",),
}
_VENDORS: Final = {
    "allotment.server.auth0": ("/api/v2/experimentation",),
    "allotment.server.launchdarkly": vendor_errors.UNDER_LAUNCHDARKLY[1:],
    "allotment.server.confidence.routes": vendor_errors.UNDER_CONFIDENCE,
}


def create_app(
    node: Node, settings: Settings, exposures: ExposureLog, shared: SharedMetrics | None = None
) -> AtOnce:
    """The ASGI application that serves a node; `shared` has the metrics of all workers.

    Its lifespan starts the node and the exposures, and stops them.
    """
    keeping = StickyAssignments(node)
    assign = AssignPaths(node, exposures, keeping)
    made = _framework(node, assign, exposures, keeping, Metrics(node, shared))
    made.state.settings = settings
    if settings.console:
        _add_console(made, settings)
    made.state.streams = streams = Streams(node, connections_max() // STREAMS_PART)
    framework = Front(made, node)
    ofrep = OfrepPaths(node, exposures, keeping, streams)
    app: AtOnce = Application(assign, ofrep, framework, streams)
    if origins := read_origins(settings.cors_origins):
        app = Cors(app, origins, lambda path: assign.takes(path) or ofrep.takes(path))
    return OnlyLocal(app) if node.insecure_local else app


class Application:
    """The assignment paths, those of OFREP, and the framework behind them for every other path.

    `at_once` answers those of the first two that wait for nothing; the connection asks it, as a
    task and the messages of ASGI take longer than such an answer.
    """

    def __init__(
        self, assign: AssignPaths, ofrep: OfrepPaths, framework: App, streams: Streams
    ) -> None:
        self._assign = assign
        self._ofrep = ofrep
        self._framework = framework
        self._streams = streams
        self._turns = Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and self._assign.takes(scope["path"]):
            await self._assign(scope, receive, send)
        elif scope["type"] == "http" and self._ofrep.takes(scope["path"]):
            await self._ofrep(scope, receive, send)
        else:
            if scope["type"] == "http":
                await self._turns.mine()
            await self._framework(scope, receive, send)
            if "stream" in scope:  # of its answer only the head is sent yet
                await self._streams.run(scope["stream"], send)

    def at_once(self, scope: Scope) -> Answering | None:
        """What answers requests with this head, if it is of one of those paths."""
        if self._ofrep.takes(scope["path"]):
            return self._ofrep.at_once(scope)
        return self._assign.at_once(scope) if self._assign.takes(scope["path"]) else None


def _framework(
    node: Node,
    assign: AssignPaths,
    exposures: ExposureLog,
    keeping: StickyAssignments,
    metrics: Metrics,
) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await node.start()
        exposures.start()
        metrics.start()
        try:
            yield
        finally:
            await asyncio.to_thread(assign.close)
            await asyncio.to_thread(keeping.close)
            await asyncio.to_thread(exposures.close)
            await asyncio.to_thread(metrics.stop)
            await node.stop()

    # What the framework would add by itself is switched off: its documents, its redirects.
    app = FastAPI(
        title="Allotment",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    # As FastAPI has it: `app.openapi` makes the document.
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    app.state.node = node
    app.state.metrics = metrics
    app.state.keeping = keeping
    app.state.explained = assign.explained
    app.state.exposures = exposures
    app.state.shared_answers = SharedAnswers()
    app.state.lists = Lists()
    app.state.strangers = Counter()
    RENDERERS.update(vendor_errors.RENDERERS)
    RENDERERS.update(errors.RENDERERS)
    # The routes themselves, not routers within the router: each then says what it answers to.
    routes = app.router.routes
    for each in (status, snapshot, changes, stream, commands):
        routes.extend(map(_whole, each.router.routes))
    routes.extend(_later(_NATIVE))
    for each in (journal, spaces, tokens, kept, resolve):
        routes.extend(map(_whole, each.router.routes))
    routes.extend(_later(_VENDORS))
    app.add_exception_handler(AllotmentError, _show_error)
    app.add_exception_handler(HTTPException, _show_refusal)
    app.add_exception_handler(Exception, _show_error)
    return app


def _later(apis: Mapping[str, Sequence[str]]) -> list[LazyRoutes]:
    return [LazyRoutes(paths, partial(_routes_of, module)) for module, paths in apis.items()]


def _routes_of(module: str) -> list[BaseRoute]:
    return [_whole(route) for route in import_module(module).router.routes]


def _add_console(app: FastAPI, settings: Settings) -> None:
    """Add the console; at once where it signs in by a provider, which may be set up wrongly."""
    at = settings.console_path

    def make() -> list[BaseRoute]:
        from allotment.server.console import app as console  # noqa: PLC0415  # see `lazy_routes`

        console.prepare(app, settings)
        return [_whole(route) for route in console.routes(at)]

    def show(error: AllotmentError) -> Answer:
        from allotment.server.console.page import error_page  # noqa: PLC0415  # likewise

        return error_page(error, at)

    RENDERERS[at] = show
    app.router.routes.extend(make() if settings.openid_issuer else [LazyRoutes([at], make)])


def _document(app: FastAPI) -> dict[str, Any]:
    from allotment.server.openapi import document  # noqa: PLC0415  # it knows every vendor

    return document(app)


def _whole(route: BaseRoute) -> BaseRoute:
    """The route, which matches the whole path: "$" would pass over a line feed at the end."""
    if isinstance(route, Route):
        route.path_regex = re.compile(route.path_regex.pattern.removesuffix("$") + r"\Z")
    return route


async def _show_error(request: Request, error: Exception) -> Response:
    return respond(answer_error(error, request.url.path, request_id_of(request.scope)))


async def _show_refusal(request: Request, error: Exception) -> Response:
    """What the router says, as an error of ours."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    refusal: Exception = error
    if status == 404:
        refusal = NoSuchPath()
    elif status == 405:
        refusal = MethodNotAllowed(_methods(request))
    return await _show_error(request, refusal)


def _methods(request: Request) -> set[str]:
    """All methods that some route answers to under this path."""
    allowed: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            allowed |= getattr(route, "methods", None) or set()
    return allowed | ({"HEAD"} if "GET" in allowed else set())
