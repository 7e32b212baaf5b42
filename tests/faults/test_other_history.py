"""A store that has another history than what is served: after a failover that lost commits, or when
its file is gone. What was served is served on, nothing is written, and an operator decides."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx

from allotment.change.commands import Create, Rename
from allotment.model.segment import Segment
from faults.history import commit
from faults.waiting import wait_for
from serving import serving


def named(client: httpx.Client) -> object:
    """What the node says the segment is called, and at which revision and lineage."""
    shown = client.get("/v1/snapshot").json()
    return shown["revision"], shown["lineage"], shown["catalog"]["segments"]["nordics"]["name"]


def write(client: httpx.Client) -> httpx.Response:
    return client.put("/v1/catalog/segments/other", json={"name": "Other"})


def diverged(client: httpx.Client) -> bool:
    return "allotment_store_diverged 1" in client.get("/metrics").text


def adopt(database: Path) -> None:
    command = [sys.executable, "-m", "allotment.cli.app", "adopt", "--store", str(database)]
    refused = subprocess.run(command, capture_output=True, text=True, input="", check=False)
    assert refused.returncode != 0  # it asks, and there is no answer
    done = subprocess.run([*command, "--yes"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "is adopted" in done.stderr


def test_a_node_that_meets_another_history_serves_on_and_loads_it_when_it_is_adopted(
    tmp_path: Path,
) -> None:
    database = tmp_path / "allotment.db"
    commit(database, Create(Segment("nordics", name="Nordics")))
    with serving(tmp_path) as server, closing(sqlite3.connect(":memory:")) as copy:
        with closing(sqlite3.connect(database)) as connection:
            connection.backup(copy)
        commit(database, Rename("segment", "nordics", "Lost"))
        commit(database, Rename("segment", "nordics", "Lost too"))
        with server.client() as client:
            wait_for(lambda: named(client)[0] == 3, 10)
            before = named(client)
            assert not diverged(client)
            with closing(sqlite3.connect(database)) as connection:
                copy.backup(connection)
            for name in ("Found", "Found too", "Found three"):
                commit(database, Rename("segment", "nordics", name))
            wait_for(lambda: diverged(client), 10)
            assert named(client) == before
            assert write(client).status_code == 503
            assert client.get("/readyz").status_code == 200
            assert "revision 3 of default/production was read before" in server.log
            adopt(database)
            wait_for(lambda: named(client)[0] == 4, 10)
            assert named(client)[2] == "Found three"
            assert not diverged(client)
            assert write(client).is_success


def test_a_node_that_was_started_from_its_last_good_file_meets_another_history_too(
    tmp_path: Path,
) -> None:
    database, mislaid = tmp_path / "allotment.db", tmp_path / "mislaid.db"
    commit(database, Create(Segment("nordics", name="Nordics")))
    with serving(tmp_path) as server:
        with server.client() as client:
            before = named(client)
        server.stop()
        database.rename(mislaid)
        commit(database, Create(Segment("nordics", name="Another")))
        server.start()
        with server.client() as client:
            assert client.get("/v1/snapshot").json()["lineage"] != before[1]
            database.unlink()
            mislaid.rename(database)
            wait_for(lambda: diverged(client), 10)
            assert named(client)[2] == "Another"


def test_a_node_whose_file_is_deleted_acknowledges_no_write(tmp_path: Path) -> None:
    database = tmp_path / "allotment.db"
    commit(database, Create(Segment("nordics", name="Nordics")))
    with serving(tmp_path) as server, server.client() as client:
        before = named(client)
        for file in tmp_path.glob("allotment.db*"):
            file.unlink()
        for _ in range(5):
            assert write(client).status_code == 503
        assert named(client) == before
        assert not database.exists()


def test_a_server_does_not_start_from_the_last_good_file_of_another_store(tmp_path: Path) -> None:
    for name in ("staging", "production"):
        (tmp_path / name).mkdir()
        commit(tmp_path / name / "allotment.db", Create(Segment("nordics", name=name)))
    shared = {"ALLOTMENT_LAST_GOOD": str(tmp_path / "shared.lastgood")}
    with serving(tmp_path / "staging", env=shared):
        wait_for((tmp_path / "shared.lastgood").exists, 10)
    kept = (tmp_path / "shared.lastgood").read_bytes()
    with serving(tmp_path / "production", env=shared) as server, server.client() as client:
        assert named(client)[2] == "production"
        wait_for(lambda: "is of the store" in server.log, 10)
    assert (tmp_path / "shared.lastgood").read_bytes() == kept
