"""Kill -9 in the middle of everything: what was acknowledged is there, nothing is half there."""

import random
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from allotment.model.catalog import Catalog
from allotment.store import Store
from faults.history import check_file, check_history, lay
from faults.storm import Author, Storm
from faults.waiting import wait_for
from postgres import Postgres
from serving import Server, serving

ACKNOWLEDGED = 60


# Ten kills, in storms that the two cores share; half of them over two processes on one file.
@pytest.mark.parametrize(("seed", "workers"), [(1, 1), (4, 2)])
def test_what_sqlite_acknowledged_survives_kill_9_and_nothing_is_half_there(
    tmp_path: Path, seed: int, workers: int
) -> None:
    database = tmp_path / "allotment.db"
    _crash(f"sqlite:///{database}", tmp_path, seed, workers=workers, cycles=2)
    check_file(database)


@pytest.mark.soak
@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_acknowledged_survives_100_kills(tmp_path: Path, workers: int) -> None:
    database = tmp_path / "allotment.db"
    _crash(f"sqlite:///{database}", tmp_path, 100, workers=workers, cycles=100)
    check_file(database)


def test_what_postgresql_acknowledged_survives_a_server_killed_over_it(
    tmp_path: Path, postgres: Postgres
) -> None:
    _crash(postgres.fresh(), tmp_path, 5, workers=1, cycles=2)


def _crash(database: str, folder: Path, seed: int, *, workers: int, cycles: int) -> None:
    """Kill the server in a storm, start it again, check what is there; so many times."""
    base = lay(database)
    moment = random.Random(seed)
    with serving(folder, database_url=database, workers=workers) as server:
        token = server.token()
        storm = Storm([partial(server.client, token=token)])
        for _ in range(cycles):
            with storm.blowing(may_be_cut_off=True), _making_tokens(server, token) as made:
                storm.wait(ACKNOWLEDGED)
                time.sleep(moment.uniform(0.05, 0.5))  # so that the kill comes at any point
                server.kill()
                storm.wait_until_cut_off()
            server.start()
            base = check_history(database, storm, base)
            _check_tokens(database, server, made)
        storm.settle()
        latest = check_history(database, storm, base)
        _check_replays(server, token, storm, latest)


@contextmanager
def _making_tokens(server: Server, token: str) -> Iterator[list[str]]:
    """Make tokens until the server is killed; gives those that were answered."""
    made: list[str] = []

    def make() -> None:
        asked = {"scope": "read", "space": "default/production", "name": "from the storm"}
        with server.client(token=token) as client:
            try:
                while True:
                    response = client.post("/v1/tokens", json=asked)
                    assert response.status_code == 201, response.text
                    made.append(response.json()["token"])
                    time.sleep(0.05)  # the storm is about changes; these only join in
            except httpx.TransportError:
                return

    thread = threading.Thread(target=make)
    thread.start()
    try:
        yield made
    finally:
        thread.join()
    assert made


def _check_tokens(database: str, server: Server, made: list[str]) -> None:
    for token in made[-3:]:
        with server.client(token=token) as client:
            assert client.get("/v1/snapshot").status_code == 200
    with Store.open(database, create=False) as store:
        tokens = store.tokens()
        assert len(tokens) == len({token.digest for token in tokens}) == store.pulse().tokens


def _check_replays(server: Server, token: str, storm: Storm, latest: Catalog) -> None:
    """A client that did not hear the answer asks again, and gets it; nothing is done twice."""
    with server.client(token=token) as client:
        for author in storm.authors:
            write, revision = random.Random(author.number).choice(author.told)
            again = write.send(client)
            assert again.is_success
            assert int(again.headers["allotment-revision"]) == revision
        found = client.get("/v1/snapshot")
        assert found.json()["revision"] == latest.revision


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_every_acknowledged_change_was_synced_to_the_disk(tmp_path: Path) -> None:
    """What kill -9 cannot show: the page cache survives it, and not a loss of power."""
    database = tmp_path / "allotment.db"
    lay(str(database))
    trace = tmp_path / "syncs"
    with serving(tmp_path) as server:
        strace = ["strace", "-f", "-qq", "-y", "-e", "trace=fsync,fdatasync", "-o", str(trace)]
        with subprocess.Popen([*strace, "-p", str(server.process.pid)]) as tracer:
            wait_for(trace.exists, 10)
            author = Author(0)
            with server.client() as client:
                wait_for(lambda: author.ask(client) and "sync" in trace.read_text(), 20)
                before = _syncs(trace, database)
                for _ in range(20):
                    assert author.ask(client).is_success
            server.kill()
            tracer.wait(20)
    assert _syncs(trace, database) - before >= 20


def _syncs(trace: Path, database: Path) -> int:
    """How often the database's own files were synced; a call in two lines has one path."""
    return sum(
        f"{database.name}-wal" in line or f"{database.name}>" in line
        for line in trace.read_text().splitlines()
    )
