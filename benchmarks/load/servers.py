"""The servers, each in processes of its own on the first processor."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
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
        """Of all its processes, which are those of its session, and all threads they ever had."""
        return sum(map(_seconds, _session(self.process.pid)))


def _session(leader: int) -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):  # it may have ended since
            if os.getsid(int(process.name)) == leader:
                yield int(process.name)


def _seconds(process: int) -> float:
    """By the clock that `clock_getcpuclockid` names, which Python has for threads alone."""
    return time.clock_gettime((~process << 3) | 2)


def pinned(processor: int, command: list[str]) -> list[str]:
    """The command, kept on one processor where there are several and `taskset` is installed."""
    there = sorted(os.sched_getaffinity(0))
    if len(there) < 2 or shutil.which("taskset") is None:
        return command
    return ["taskset", "-c", str(there[processor]), *command]


@contextmanager
def ours(
    folder: Path,
    source: Path = HOUSE / "src",
    shown: Catalog | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """The server itself, over SQLite, with a token; `source` may have another version of it.

    `shown` is what it serves; the shop, where nothing else is said. `settings` are more variables.
    """
    database = folder / "allotment.db"
    with Store.open(database) as store:
        now = datetime.now(UTC)
        store.commit(diff(EMPTY, shown or shop()), who="bench", when=now, dialect="bench")
        digest = hashlib.sha256(TOKEN.encode()).hexdigest()
        store.add_token(Token("bench", digest, Scope.ASSIGN, "*/*", "bench", 0, None, None))
    port = free_port()
    environment = {"ALLOTMENT_DATABASE_URL": str(database), "ALLOTMENT_PORT": str(port)}
    command = [sys.executable, "-m", "allotment.cli.app", "serve"]
    with started(command, port, environment | dict(settings or {}), source) as server:
        yield server


@contextmanager
def raw(
    application: str = "benchmarks.load.raw:app", python: str | Path = sys.executable
) -> Iterator[Server]:
    """The reference: the same uvicorn, the same event loop, the same parser.

    Another `application` is served in the same way, by the uvicorn of another `python`.
    """
    port = free_port()
    command = [str(python), "-m", "uvicorn", application, f"--port={port}"]
    command += ["--loop=uvloop", "--http=httptools", "--lifespan=off", "--no-access-log"]
    with started([*command, "--no-server-header", "--log-level=warning"], port) as server:
        yield server


@contextmanager
def started(
    command: list[str],
    port: int,
    environment: Mapping[str, str] | None = None,
    source: Path = HOUSE / "src",
) -> Iterator[Server]:
    """Any server, from when it answers `POST /v1/assign` on the port."""
    paths = os.pathsep.join([str(HOUSE), str(source)])
    known = {name: text for name, text in os.environ.items() if not name.startswith("ALLOTMENT_")}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            pinned(0, command),
            env=known | {"PYTHONPATH": paths} | dict(environment or {}),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        server = Server(f"http://127.0.0.1:{port}", process)
        try:
            _await(server, log)
            yield server
        finally:
            with suppress(ProcessLookupError):  # it ended by itself
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _await(server: Server, log: IO[bytes]) -> None:
    body = b'{"unit":"a","experiment":"exp_0"}'
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = Request(f"{server.url}/v1/assign", body, headers)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urlopen(request):
                return
        except OSError as error:
            if server.process.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                said = log.read().decode(errors="replace")
                raise RuntimeError(f"a server did not start: {error}\n{said}") from None
            time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
