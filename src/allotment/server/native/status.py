"""How the process is, what it is, and what it answers to: health, metrics, documents."""

from __future__ import annotations

import platform
from typing import Final

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from allotment.server.answer import JSON, Answer, as_json, encode, respond
from allotment.server.conditional import authenticated, node_of
from allotment.server.docs import POLICY, page
from allotment.server.metrics import Metrics
from allotment.server.openapi import document
from allotment.server.operation import closed, operation
from allotment.server.requests import query_of
from allotment.server.version import running
from allotment.store import Scope

router: Final = APIRouter()

_TEXT: Final = {"schema": {"type": "string"}}
_METRICS: Final = "text/plain; version=0.0.4; charset=utf-8"

_STATUS: Final = closed(
    {
        "status": {"enum": ["ready", "starting", "draining", "broken"]},
        "age_seconds": {
            "description": "How long ago the store was last seen to have nothing newer.",
            "type": "number",
            "minimum": 0,
        },
        "dead_threads": {
            "description": "Background threads that ended by a fault; the status is then broken.",
            "type": "array",
            "items": {"type": "string"},
        },
    }
)


@router.get(
    "/healthz",
    response_class=Response,
    operation_id="get_health",
    openapi_extra=operation(
        "Whether the process lives", None, {200: closed({"status": {"const": "ok"}})}, tag="process"
    ),
)
async def get_health(request: Request) -> Response:
    """The process answers: that is all."""
    query_of(request)
    return respond(as_json({"status": "ok"}))


@router.get(
    "/readyz",
    response_class=Response,
    operation_id="get_readiness",
    openapi_extra=operation(
        "Whether to send requests here",
        None,
        {200: _STATUS, 503: _STATUS},
        description="503 until there is something to serve, from the moment it is to stop, and "
        "where a background thread has ended by a fault.",
        tag="process",
    ),
)
async def get_readiness(request: Request) -> Response:
    """Ready with the store away too, once something is loaded: the age says how old it may be."""
    query_of(request)
    node = node_of(request)
    dead = sorted(+node.threads.dead)
    if node.draining:
        status = "draining"
    elif dead:
        status = "broken"
    else:
        status = "ready" if node.ready else "starting"
    said = {"status": status, "age_seconds": round(node.age_seconds, 3), "dead_threads": dead}
    return respond(as_json(said, 200 if status == "ready" else 503))


@router.get(
    "/version",
    response_class=Response,
    operation_id="get_version",
    openapi_extra=operation(
        "Which version this is",
        None,
        {200: closed({"version": {"type": "string"}, "python": {"type": "string"}})},
        tag="process",
    ),
)
async def get_version(request: Request) -> Response:
    """The version of Allotment, and of what it runs on."""
    query_of(request)
    python = platform.python_version()
    return respond(as_json({"version": running(), "python": python}))


@router.get(
    "/metrics",
    response_class=Response,
    operation_id="get_metrics",
    openapi_extra=operation(
        "Metrics for Prometheus",
        Scope.READ,
        {200: None},
        spaced=False,
        more={200: {"text/plain": _TEXT}},
        tag="process",
    ),
)
async def get_metrics(request: Request) -> Response:
    """Everything that is counted; of spaces, those that the token reaches."""
    query_of(request)
    caller = authenticated(request, Scope.READ)
    metrics: Metrics = request.app.state.metrics
    return respond(Answer(200, (("content-type", _METRICS),), metrics.text(caller.reach)))


@router.get(
    "/openapi.json",
    response_class=Response,
    operation_id="get_openapi",
    openapi_extra=operation("The OpenAPI document", None, {200: {"type": "object"}}, tag="process"),
)
async def get_openapi(request: Request) -> Response:
    """The document, made once."""
    query_of(request)
    made = await _made(request)
    return respond(Answer(200, (("content-type", JSON),), made["json"]))


@router.get(
    "/docs",
    response_class=Response,
    operation_id="get_docs",
    openapi_extra=operation(
        "The OpenAPI document as a page",
        None,
        {200: None},
        more={200: {"text/html": _TEXT}},
        tag="process",
    ),
)
async def get_docs(request: Request) -> Response:
    """The document for people."""
    query_of(request)
    headers = (
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", POLICY),
    )
    return respond(Answer(200, headers, (await _made(request))["html"]))


async def _made(request: Request) -> dict[str, bytes]:
    """The document in both forms; the routes do not change while the process runs."""
    state = request.app.state
    if not hasattr(state, "documents"):
        state.documents = await node_of(request).run(_make, request.app)
    documents: dict[str, bytes] = state.documents
    return documents


def _make(app: FastAPI) -> dict[str, bytes]:
    made = document(app)
    return {"json": encode(made), "html": page(made).encode()}
