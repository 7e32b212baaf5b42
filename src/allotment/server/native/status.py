"""How the process is, what it is, and what it answers to: health, metrics, documents."""

from __future__ import annotations

import platform
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, FastAPI
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from allotment import __version__
from allotment.dialects.wire.model import Model
from allotment.server.api.docs import POLICY, page
from allotment.server.api.route import Monitor, Route
from allotment.server.http.answer import JSON, Answer, as_json, encode, respond
from allotment.server.http.refusals import NoSuchPath
from allotment.server.lazy_routes import make_all
from allotment.server.metrics import Metrics
from allotment.server.writes.change import node_of

router: Final = APIRouter(route_class=Route, tags=["process"])

_TEXT: Final = {"schema": {"type": "string"}}
_STARTS: Final = (
    *("/healthz", "/readyz", "/version", "/metrics", "/v1/assign", "/v1/resolve", "/v1/explain"),
    *("/v1/snapshot", "/v1/commands", "/v1/catalog/experiments", "/v1/journal"),
)
_DOCUMENTS: Final = ("/docs", "/openapi.json")

_METRICS: Final = "text/plain; version=0.0.4; charset=utf-8"


class Health(Model):
    """The process lives."""

    status: Literal["ok"]


class Readiness(Model):
    """Whether requests are to be sent here, and why not."""

    status: Literal["ready", "starting", "draining", "broken"]
    age_seconds: Annotated[
        float,
        Field(ge=0, description="How long ago the store was last seen to have nothing newer."),
    ]
    dead_threads: Annotated[
        list[str],
        Field(description="Background threads that ended by a fault; the status is then broken."),
    ]


class Version(Model):
    """The version of Allotment, and of what it runs on."""

    version: str
    python: str


class StartPage(Model):
    """Where to go from here."""

    allotment: Annotated[str, Field(description="The version.")]
    paths: Annotated[list[str], Field(description="Where the parts of the API begin.")]


@router.get("/healthz", summary="Whether the process lives", response_model=Health)
async def get_health() -> Response:
    """It answers while the process lives, and says nothing of the store."""
    return respond(as_json(Health(status="ok")))


@router.get(
    "/readyz",
    summary="Whether to send requests here",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Not now."}},
)
async def get_readiness(request: Request) -> Response:
    """503 before there is a catalog, after a signal to stop, and if a background thread ended."""
    # Ready with the store away too, once something is loaded: the age says how old it may be.
    node = node_of(request)
    dead = sorted(+node.threads.dead)
    status: Literal["ready", "starting", "draining", "broken"]
    if node.draining:
        status = "draining"
    elif dead:
        status = "broken"
    else:
        status = "ready" if node.ready else "starting"
    said = Readiness(status=status, age_seconds=round(node.age_seconds, 3), dead_threads=dead)
    return respond(as_json(said, 200 if status == "ready" else 503))


@router.get("/version", summary="Which version this is", response_model=Version)
async def get_version() -> Response:
    """The version of Allotment, and of what it runs on."""
    return respond(as_json(Version(version=__version__, python=platform.python_version())))


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": _TEXT}}},
)
async def get_metrics(request: Request, caller: Monitor) -> Response:
    """Everything that is counted; of spaces, those that the token reaches."""
    metrics: Metrics = request.app.state.metrics
    text = await metrics.text(caller.reach)
    return respond(Answer(200, (("content-type", _METRICS),), text))


@router.get("/", summary="What there is", response_model=StartPage)
async def get_index(request: Request) -> Response:
    """The version, and the paths where the parts of the API begin."""
    shown = _DOCUMENTS if request.app.state.settings.docs else ()
    return respond(as_json(StartPage(allotment=__version__, paths=[*_STARTS, *shown])))


@router.get("/openapi.json", summary="The OpenAPI document", response_model=dict[str, Any])
async def get_openapi(request: Request) -> Response:
    """Every operation of this server, also of vendors' APIs. The setting `docs` can close it."""
    _check_open(request)
    made = await _made(request)
    return respond(Answer(200, (("content-type", JSON),), made["json"]))


@router.get(
    "/docs",
    summary="The OpenAPI document as a page",
    response_class=Response,
    responses={200: {"content": {"text/html": _TEXT}}},
)
async def get_docs(request: Request) -> Response:
    """The same for people; the page loads nothing from elsewhere."""
    _check_open(request)
    headers = (
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", POLICY),
    )
    return respond(Answer(200, headers, (await _made(request))["html"]))


def _check_open(request: Request) -> None:
    """Refuse, as where there is no such path, what the setting `docs` closes."""
    if not request.app.state.settings.docs:
        raise NoSuchPath


async def _made(request: Request) -> dict[str, bytes]:
    """The document in both forms; the routes do not change while the process runs."""
    state = request.app.state
    if not hasattr(state, "documents"):
        await make_all(request.app)
        state.documents = await node_of(request).run(_make, request.app)
    documents: dict[str, bytes] = state.documents
    return documents


def _make(app: FastAPI) -> dict[str, bytes]:
    made: dict[str, Any] = app.openapi()
    return {"json": encode(made), "html": page(made).encode()}
