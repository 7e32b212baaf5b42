"""The two servers, each a process of its own on the first processor."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from urllib.request import Request, urlopen

from allotment.change.diff import diff
from allotment.model.catalog import EMPTY, Catalog
from allotment.store import Scope, Store, Token
from benchmarks.load.shop import shop

HOUSE = Path(__file__).parents[2]
TOKEN = "allotment_for-the-benchmark"  # it opens nothing
PATIENCE = 30.0


@dataclass(frozen=True)
class Server:
    """A server that answers; `cpu` is the time it has used, in seconds."""

    url: str
    process: subprocess.Popen[bytes]

    @property
    def cpu(self) -> float:
        nanoseconds = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in nanoseconds) / 1e9


def pinned(processor: int, command: list[str]) -> list[str]:
    """The command, kept on one processor where there are several and `taskset` is installed."""
    there = sorted(os.sched_getaffinity(0))
    if len(there) < 2 or shutil.which("taskset") is None:
        return command
    return ["taskset", "-c", str(there[processor]), *command]


@contextmanager
def ours(
    folder: Path, source: Path = HOUSE / "src", shown: Catalog | None = None
) -> Iterator[Server]:
    """The server itself, over SQLite, with a token; `source` may have another version of it.

    `shown` is what it serves; the shop, where nothing else is said.
    """
    database = folder / "allotment.db"
    with Store.open(database) as store:
        now = datetime.now(UTC)
        store.commit(diff(EMPTY, shown or shop()), who="bench", when=now, dialect="bench")
        digest = hashlib.sha256(TOKEN.encode()).hexdigest()
        store.add_token(Token("bench", digest, Scope.ASSIGN, "*/*", "bench", 0, None, None))
    port = _free_port()
    environment = {"ALLOTMENT_DATABASE_URL": str(database), "ALLOTMENT_PORT": str(port)}
    command = [sys.executable, "-m", "allotment.cli.app", "serve"]
    with _started(command, port, environment, source) as server:
        yield server


@contextmanager
def raw() -> Iterator[Server]:
    """The reference: the same uvicorn, the same event loop, the same parser."""
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.load.raw:app", f"--port={port}"]
    command += ["--loop=uvloop", "--http=httptools", "--lifespan=off", "--no-access-log"]
    with _started([*command, "--no-server-header", "--log-level=warning"], port, {}) as server:
        yield server


@contextmanager
def _started(
    command: list[str], port: int, environment: dict[str, str], source: Path = HOUSE / "src"
) -> Iterator[Server]:
    paths = os.pathsep.join([str(HOUSE), str(source)])
    known = {name: text for name, text in os.environ.items() if not name.startswith("ALLOTMENT_")}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            pinned(0, command),
            env=known | {"PYTHONPATH": paths} | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        server = Server(f"http://127.0.0.1:{port}", process)
        try:
            _await(server, log)
            yield server
        finally:
            process.kill()
            process.wait()


def _await(server: Server, log: IO[bytes]) -> None:
    body = b'{"unit":"a","experiment":"exp_0"}'
    request = Request(f"{server.url}/v1/assign", body, {"Authorization": f"Bearer {TOKEN}"})
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urlopen(request):
                return
        except OSError:
            if server.process.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                said = log.read().decode(errors="replace")
                raise RuntimeError(f"a server did not start:\n{said}") from None
            time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
