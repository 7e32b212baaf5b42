"""PostgreSQL crashes, stops and comes back: nobody who asks for an assignment notices."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import psycopg
import pytest

from allotment.change.commands import Describe
from allotment.server.process.drain import CLOSING_SECONDS
from faults.away import away, hanging
from faults.history import check_history, commit, lay
from faults.readers import STEADY, reading
from faults.storm import Storm, check_turned_away
from faults.waiting import wait_for
from postgres import Postgres
from serving import serving

RECOVERY = 5.0  # seconds

CRASHES = [pytest.param(3, id="3"), pytest.param(10, id="10", marks=pytest.mark.soak)]
SECONDS = [pytest.param(3, id="3"), pytest.param(60, id="60", marks=pytest.mark.soak)]


@pytest.mark.parametrize("crashes", CRASHES)
def test_postgresql_crashes_under_load_and_assignments_go_on(
    tmp_path: Path, postgres: Postgres, crashes: int
) -> None:
    database = postgres.fresh()
    base = lay(database)
    with serving(tmp_path, database_url=database) as server:
        storm = Storm([server.client], range(4))
        with reading(server.client), reading(server.client), storm.blowing():
            for _ in range(crashes):
                storm.wait(20)
                postgres.restart("QUIT")  # as good as kill -9: it recovers from its log
                storm.wait(4, RECOVERY)
        storm.settle()
        refused = [answer for author in storm.authors for answer in author.refused]
        assert len(refused) >= crashes
        for answer in refused:
            check_turned_away(answer)
        check_history(database, storm, base)


@pytest.mark.parametrize("seconds", SECONDS)
def test_postgresql_stays_away_and_assignments_go_on_as_they_were(
    tmp_path: Path, postgres: Postgres, seconds: float
) -> None:
    database = postgres.fresh()
    lay(database)
    with serving(tmp_path, database_url=database) as server:
        storm = Storm([server.client])
        with server.client() as client, reading(server.client) as reader:
            with away(postgres):
                gone = time.monotonic()
                while time.monotonic() < gone + seconds:
                    for author in storm.authors:
                        check_turned_away(author.ask(client))
                    reader.go_on()
                    time.sleep(0.2)  # clients that wait a little, as they were told
                assert _age(client) >= seconds - 1
                assert client.get("/readyz").status_code == 200
            back = time.monotonic()
            newest = commit(database, Describe("experiment", STEADY, "meanwhile")).revision
            wait_for(lambda: reader.revision >= newest, RECOVERY)
            wait_for(lambda: storm.authors[0].ask(client).is_success, RECOVERY)
            wait_for(lambda: _age(client) < 1, RECOVERY)
            assert time.monotonic() - back < RECOVERY
            storm.settle()


def test_postgresql_hangs_and_assignments_go_on(tmp_path: Path, postgres: Postgres) -> None:
    """It neither answers nor hangs up: a disk that does not come back, a network that is cut."""
    database = postgres.fresh()
    base = lay(database)
    with serving(tmp_path, database_url=database) as server:
        storm = Storm([server.client])
        with server.client() as client, reading(server.client) as reader:
            with hanging(postgres):
                wait_for(lambda: _age(client) > 2, 10)
                for author in storm.authors:
                    check_turned_away(author.ask(client))
                reader.go_on()
                assert client.get("/readyz").status_code == 200
            wait_for(lambda: storm.authors[0].ask(client).is_success, RECOVERY)
        storm.settle()
        check_history(database, storm, base)


def test_a_database_without_a_free_connection_is_away_and_comes_back(
    tmp_path: Path, postgres: Postgres
) -> None:
    database = postgres.fresh()
    base = lay(database)
    folders = [tmp_path / name for name in ("running", "starting")]
    for each in folders:
        each.mkdir()
    with serving(folders[0], database_url=database) as server, ExitStack() as late:
        storm = Storm([server.client])
        (author, *_) = storm.authors
        with server.client() as client, reading(server.client) as reader:
            with ExitStack() as crowd:
                take_every_connection(postgres, database, crowd)
                wait_for(lambda: _age(client) > 1, 10)
                for each in storm.authors:
                    check_turned_away(each.ask(client))
                reader.go_on()
                assert client.get("/readyz").status_code == 200
                starting = serving(folders[1], database_url=database, until="/healthz")
                other = late.enter_context(starting)
                asking = late.enter_context(other.client())
                assert asking.get("/readyz").json()["status"] == "starting"
                for each in (server, other):
                    assert "too many clients" in each.log
            wait_for(lambda: author.ask(client).is_success, RECOVERY)
            wait_for(lambda: asking.get("/readyz").status_code == 200, RECOVERY)
        storm.settle()
        check_history(database, storm, base)


def take_every_connection(postgres: Postgres, database: str, crowd: ExitStack) -> None:
    """Take all connections that PostgreSQL admits, those of `database` included.

    A backend that is ended frees its connection some time later, and its server may get it back
    first. So backends are ended and connections taken until the crowd holds every one.
    """
    first = crowd.enter_context(postgres.connect())
    taken = [first]
    name = database.partition("@/")[2].partition("?")[0]
    admitted = first.execute("SELECT current_setting('max_connections')::int").fetchone()
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"

    def all_taken() -> bool:
        first.execute(ended, [name])
        with suppress(psycopg.OperationalError):
            while True:
                taken.append(crowd.enter_context(postgres.connect()))
        return (len(taken),) == admitted

    wait_for(all_taken, 10)


@pytest.mark.parametrize("signals", [1, 2])
def test_a_server_is_stopped_though_postgresql_hangs_under_a_change(
    tmp_path: Path, postgres: Postgres, signals: int
) -> None:
    database = postgres.fresh()
    lay(database)
    env = {"ALLOTMENT_STOP_SECONDS": "1"}
    with serving(tmp_path, database_url=database, env=env) as server:
        storm = Storm([server.client])
        with server.client() as client, hanging(postgres), ThreadPoolExecutor(1) as pool:
            asked = pool.submit(storm.authors[0].ask, client)
            time.sleep(0.3)
            began = time.monotonic()
            for _ in range(signals):
                server.process.send_signal(signal.SIGTERM)
                time.sleep(0.3)
            server.process.wait(20)
            taken = time.monotonic() - began
            asked.exception()
    # The first asks all to end in time: what is asked of the store, and letting go of it, too.
    assert taken < (1 + CLOSING_SECONDS + 3 if signals == 1 else 4)


def _age(client: httpx.Client) -> float:
    """How old what is served is, in seconds, as the server says."""
    age: float = client.get("/readyz").json()["age_seconds"]
    return age
