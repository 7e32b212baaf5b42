"""Tasks that ask an engine. Run them as the README beside this says."""

from __future__ import annotations

import os

from celery import Celery

import allotment

app = Celery("tasks")
app.config_from_object(
    {
        "broker_url": os.environ.get("BROKER_URL", "redis://localhost"),
        "result_backend": os.environ.get("RESULT_BACKEND", "redis://localhost"),
    }
)

# Made once, before the worker forks: the engine follows in each child by itself.
engine = allotment.connect(
    os.environ.get("ALLOTMENT_URL", "http://localhost:8080"),
    last_good=os.environ.get("ALLOTMENT_FILE"),
)


@app.task
def order_of(user: str) -> dict[str, object]:
    """How a user's search results are ordered, and by which process and revision."""
    found = engine.resolve("search-order", user)
    status = engine.status()
    return {"order": found.value, "revision": status.revision, "process": os.getpid()}
