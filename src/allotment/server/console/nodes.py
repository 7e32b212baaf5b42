"""The page of this node: what it serves, how old that is, and how the process is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from allotment import __version__
from allotment.server.auth.access import reaches
from allotment.server.console.route import Looking, PageRoute, no_query, unspaced
from allotment.server.sync.node import Node
from allotment.server.sync.spaces import Served
from allotment.server.writes.change import node_of

router: Final = APIRouter(route_class=PageRoute)


@dataclass(frozen=True, slots=True)
class SpaceLine:
    """A space as this node serves it; `age` is how long it has served this revision."""

    name: str
    revision: int
    experiments: int
    age: float


@dataclass(frozen=True, slots=True)
class NodeView:
    """What a node serves, of the spaces that a token reaches, and how its process is."""

    version: str
    state: str
    seen: float
    spaces: tuple[SpaceLine, ...]
    counts: tuple[tuple[str, str, int], ...]
    dead: tuple[str, ...]


@router.get("/node", dependencies=[Depends(no_query)])
async def get_node(request: Request, visitor: Looking) -> Response:
    """This node; with several workers, the one that answers."""
    settings = request.app.state.settings
    view = node_view(node_of(request), visitor.caller.reach, time.monotonic())
    page: Mapping[str, Any] = {
        "view": view,
        "workers": settings.workers,
        "address": f"{settings.host}:{settings.port}",
    }
    return await unspaced(request, visitor, "node.html", page)


def node_view(node: Node, reach: str, now: float) -> NodeView:
    """What is shown of a node; `now` is by the monotonic clock."""
    counters = node.counters
    assigned = sum(counters.assigned.values())
    state = "draining" if node.draining else "ready" if node.ready else "starting"
    dead = tuple(sorted(+node.threads.dead))
    return NodeView(
        __version__,
        "broken" if dead else "another history in the store" if node.diverged else state,
        node.age_seconds,
        tuple(
            _space_line(each, now)
            for name, each in sorted(node.spaces.items())
            if reaches(reach, name)
        ),
        (
            ("Assignment requests", "Answers of the assignment paths", assigned),
            ("Other requests", "Requests of the other paths", counters.requests.total()),
            ("Turned away", "Requests that were too many", counters.shed.total()),
            ("Exposures written", "Exposures that reached the log", counters.exposures_written),
            ("Exposures dropped", "Exposures that did not", counters.exposures_dropped),
            ("Changes that wait", "For the one before them", node.writes_waiting),
            ("Store not there", "Looks at the store that failed", counters.looks_failed),
        ),
        dead,
    )


def _space_line(served: Served, now: float) -> SpaceLine:
    count = len(served.stored.catalog.experiments)
    return SpaceLine(served.space, served.revision, count, max(0.0, now - served.since))
