"""A node in this process, and a client that calls its application without a network."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from allotment.server.app import create_app
from allotment.server.connection.identity import Identity
from allotment.server.exposure_log import ExposureLog
from allotment.server.http.asgi import Receive, Scope, Send
from allotment.server.settings import Settings
from allotment.server.sync.node import Node
from allotment.store import Store

SPACE = "default/production"


@asynccontextmanager
async def running(database: str | Callable[[], Store], **more: Any) -> AsyncIterator[Node]:
    """A node that has started, on a store that is opened by its address, or as it is told.

    It takes callers without a token, unless `more` says otherwise.
    """
    store = database if callable(database) else Store.open(database)
    node = Node(store, **{"poll_seconds": 0.02, "insecure_local": True, **more})
    await node.start()
    try:
        yield node
    finally:
        await node.stop()


@asynccontextmanager
async def calling(
    node: Node, settings: Settings | None = None, **headers: str
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the node's application."""
    settings = settings or Settings(exposures="off")
    made = create_app(node, settings, ExposureLog.of(settings, node.threads))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """As a connection does: each request has an id."""
        await made({**scope, "state": {"identity": Identity()}}, receive, send)

    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers=headers
    ) as caller:
        yield caller


async def until(holds: Callable[[], object], seconds: float = 30.0) -> float:
    """Wait until something holds; how long that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, "it never came to hold"
        await asyncio.sleep(0.002)
    return time.monotonic() - began
