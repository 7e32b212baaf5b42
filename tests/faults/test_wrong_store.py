"""A store that lost what it held, or is not the one it was: what was served is served on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from faults.history import lay
from faults.readers import reading
from faults.storm import Storm, check_turned_away
from faults.waiting import wait_for
from serving import Server, serving

# What somebody does to the tables behind the server's back.
HARM = {
    "every document is deleted, and the revision is 0": """
        DELETE FROM document; DELETE FROM journal; UPDATE space SET revision = 0""",
    "it is put back to an earlier revision": """
        DELETE FROM document WHERE revision > 1; UPDATE space SET revision = 1""",
    "its spaces are gone": "DELETE FROM space",
    "it no longer says what it is": "DELETE FROM allotment_store",
    "its tables are gone": "DROP TABLE document; DROP TABLE journal; DROP TABLE space",
    "a new document cannot be read": """
        INSERT INTO document (space, kind, key, revision, body)
          SELECT name, 'experiment', 'test-0', revision + 1, '{"is": "Nothing"}' FROM space;
        UPDATE space SET revision = revision + 1""",
    "a new document is no JSON": """
        INSERT INTO document (space, kind, key, revision, body)
          SELECT name, 'experiment', 'test-0', revision + 1, '{' FROM space;
        UPDATE space SET revision = revision + 1""",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    lay(folder / "allotment.db")
    with serving(folder) as running:
        yield running


@pytest.fixture(scope="module")
def storm(server: Server) -> Storm:
    storm = Storm([server.client], range(4))
    with server.client() as client:
        assert all(author.ask(client).is_success for author in storm.authors)
    return storm


@contextmanager
def harmed(database: Path, harm: str) -> Iterator[None]:
    """A SQLite file that somebody changes by these statements, and puts right in the end."""
    with (
        closing(sqlite3.connect(database)) as connection,
        closing(sqlite3.connect(":memory:")) as copy,
    ):
        connection.backup(copy)
        connection.executescript(harm)
        yield
        copy.backup(connection)


@pytest.mark.parametrize("harm", HARM)
def test_a_harmed_store_is_not_followed_and_not_written_to_until_it_is_right_again(
    server: Server, storm: Storm, harm: str
) -> None:
    said = len(server.log)
    with server.client() as client, reading(server.client) as reader:
        before = client.get("/v1/snapshot").json()
        with harmed(server.folder / "allotment.db", HARM[harm]):
            wait_for(lambda: _age(client) > 1, 10)
            reader.go_on()
            assert client.get("/v1/snapshot").json() == before
            for author in storm.authors:
                check_turned_away(author.ask(client))
            assert client.get("/readyz").status_code == 200
            assert server.log.count("allotment-watch", said) == 1  # not at every look
        wait_for(lambda: storm.authors[0].ask(client).is_success, 5)
        storm.settle()
        wait_for(lambda: _age(client) < 0.5, 5)


def _age(client: httpx.Client) -> float:
    age: float = client.get("/readyz").json()["age_seconds"]
    return age


def test_a_server_that_finds_an_empty_store_serves_its_last_good_file_instead(
    tmp_path: Path,
) -> None:
    """A volume that was not mounted, the address of another database: nobody meant that."""
    database, mislaid = tmp_path / "allotment.db", tmp_path / "mislaid.db"
    lay(database)
    with serving(tmp_path) as server:
        storm = Storm([server.client])
        with server.client() as client, reading(server.client) as reader:
            assert all(author.ask(client).is_success for author in storm.authors)
            dealt = reader.dealt()
        server.stop()
        database.rename(mislaid)
        server.start()
        with server.client() as client, reading(server.client) as reader:
            assert reader.dealt() == dealt
            assert reader.revision == storm.last
            for author in storm.authors:
                check_turned_away(author.ask(client))
        assert "`allotment adopt`" in server.log  # what to do where it was meant
        server.stop()
        mislaid.rename(database)
        server.start()
        storm.settle()
