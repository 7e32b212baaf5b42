"""A shop whose pages ask an engine in their own process. Run it as the README beside it says."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Request

import allotment


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Follow the server for as long as the application runs."""
    with allotment.connect(
        os.environ.get("ALLOTMENT_URL", "http://localhost:8080"),
        last_good=os.environ.get("ALLOTMENT_FILE"),
        timeout=5,
    ) as engine:
        app.state.engine = engine
        yield


app = FastAPI(lifespan=lifespan)


def engine_of(request: Request) -> allotment.ConnectedEngine:
    """The engine; a test overrides this dependency."""
    engine: allotment.ConnectedEngine = request.app.state.engine
    return engine


Engine = Annotated[allotment.ConnectedEngine, Depends(engine_of)]


@app.get("/search/{user}")
async def search(user: str, engine: Engine) -> dict[str, object]:
    """How a user's search results are ordered, and why."""
    found = engine.resolve("search-order", user)
    return {"order": found.value or "relevance", "experiment": found.experiment}


@app.get("/health")
async def health(engine: Engine) -> dict[str, object]:
    """Whether the catalog is up to date."""
    status = engine.status()
    return {"revision": status.revision, "source": status.source, "error": status.error}
