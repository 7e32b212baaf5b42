"""How long changes take, and how long each holds the store's lock: 10 writers, 1,000 experiments.

    python -m benchmarks.writes [DATABASE-URL]

Writers rename experiments of their own through the Auth0 API of one process. Without a URL it
measures a SQLite file in a temporary folder. Times are wall times but for the CPU time.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from allotment.change.commands import Create
from allotment.dialects.auth0.names import id_of
from allotment.model.experiment import Allocation, Experiment, Iteration, Treatment
from allotment.model.flag import Flag, FlagExperiment, Variation
from allotment.server.app import create_app
from allotment.server.exposure_log import ExposureLog
from allotment.server.settings import Settings
from allotment.server.sync.node import Node
from allotment.store import Store
from allotment.store.database import Database

WRITERS: Final = 10
EXPERIMENTS: Final = 1_000
CHANGES_EACH: Final = 60
SPACE: Final = "default/production"

held: list[float] = []
worked: list[float] = []


@contextmanager
def timed(database: Database, *, writes: bool) -> Iterator[object]:
    with _transaction(database, writes=writes) as connection:
        began, busy = time.perf_counter(), time.thread_time()  # the lock is held from here on
        yield connection
        took, busy = time.perf_counter() - began, time.thread_time() - busy
    if writes:
        held.append(took)
        worked.append(busy)


_transaction = Database.transaction
Database.transaction = timed  # type: ignore[method-assign, assignment]


async def measure(database: str) -> None:
    node = Node(Store.open(database), insecure_local=True)
    await node.start()
    variations = (Variation("a", "1"), Variation("b", "2"))
    listed = tuple(FlagExperiment(f"e{n}") for n in range(EXPERIMENTS))
    treatments = tuple(Treatment(key, sets=(("flag", key),)) for key in "ab")
    everyone = Allocation("everyone", (("a", 50), ("b", 50)), 100)
    iteration = Iteration(1, treatments, (everyone,), control="a")
    made = [Create(Experiment(one.experiment, (iteration,), one.experiment)) for one in listed]
    commands = [Create(Flag("flag", variations, "a")), *made]
    await node.write(SPACE, lambda _stored: commands, dialect="native", who="bench")
    settings = Settings()
    app = create_app(node, settings, ExposureLog.of(settings, node.threads))
    asgi = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))
    held.clear()
    worked.clear()
    took: list[float] = []
    async with httpx.AsyncClient(transport=asgi, base_url="http://localhost") as client:

        async def write(writer: int) -> None:
            for turn in range(CHANGES_EACH):
                key = f"e{writer * 100 + turn}"
                path = f"/api/v2/experimentation/experiments/{id_of('experiment', key)}"
                began = time.perf_counter()
                answer = await client.patch(path, json={"name": f"{key} in turn {turn}"})
                took.append(time.perf_counter() - began)
                answer.raise_for_status()

        await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
    await node.stop()
    for what, times in (("a change", took), ("the lock", held), ("CPU under it", worked)):
        print(f"{what}: {_quantiles(times)}, {len(times)} of them")


def _quantiles(times: list[float]) -> str:
    ordered = sorted(times)
    shares = (("median", 50), ("p99", 99))
    return ", ".join(f"{n} {ordered[len(ordered) * s // 100] * 1000:.2f} ms" for n, s in shares)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asked = sys.argv[1:2] or [str(Path(folder) / "allotment.db")]
        asyncio.run(measure(asked[0]))
