"""Kill -9 while a store of an earlier release becomes one of this: it is the one or the other."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from allotment.store import Store
from allotment.store.schema import VERSION
from faults.history import check_file
from faults.waiting import wait_for
from serving import Server, environment

RELEASED = Path(__file__).parents[1] / "store" / "released" / "1.sql"

# So many revisions of one noun that the migration takes a while.
LATEST = 10_000
MANY = f"""
    CREATE TEMP TABLE more AS
      WITH RECURSIVE number(of) AS
        (SELECT 9 UNION ALL SELECT of + 1 FROM number WHERE of < {LATEST}) SELECT of FROM number;
    INSERT INTO journal
      SELECT space, of, at, who, dialect, comment, commands, moves FROM journal, more
      WHERE revision = 8;
    INSERT INTO document
      SELECT space, kind, key, of, body FROM more, (SELECT * FROM document
        WHERE body IS NOT NULL ORDER BY revision DESC LIMIT 1);
    UPDATE space SET revision = {LATEST};
"""

# The columns that are compared, by table: all there are, or those that the release had.
ALL = {"document": "*", "journal": "*", "space": "*"}
AS_RELEASED = {
    "document": "space, kind, key, revision, body",
    "journal": "space, revision, at, who, dialect, comment, commands, moves",
    "space": "name, revision",
}

KILLS = 3


def test_a_server_killed_while_it_migrates_leaves_the_old_store_or_the_new_one(
    tmp_path: Path,
) -> None:
    database = tmp_path / "allotment.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(RELEASED.read_text() + MANY)
    old = _held(database)
    lasts = _how_long_it_lasts(database)
    server = Server(
        tmp_path,
        environment(
            {
                "ALLOTMENT_DATABASE_URL": str(database),
                "ALLOTMENT_PORT": "0",
                "ALLOTMENT_INSECURE_LOCAL": "1",
            }
        ),
        str(database),
    )
    for kill in range(KILLS):
        server.launch()
        try:
            wait_for(database.with_name("allotment.db-wal").exists, 30, pause=0.001)
            time.sleep(lasts * kill / KILLS)
        finally:
            server.kill()
        check_file(database)
        if _version(database) == VERSION:
            break
        assert _held(database) == old
    assert kill > 0  # the first comes before anything was done
    server.start()
    try:
        with server.client() as client:
            assert client.get("/v1/snapshot").json()["revision"] == LATEST
    finally:
        server.kill()
    assert _version(database) == VERSION
    assert _held(database, AS_RELEASED) == old
    with closing(sqlite3.connect(database)) as connection:
        untold = "SELECT count(*) FROM document WHERE created_at = 0"
        assert connection.execute(untold).fetchall() == [(0,)]


def _how_long_it_lasts(database: Path) -> float:
    """The seconds from opening such a store to its being one of this release."""
    copy = database.with_name("copy.db")
    shutil.copy(database, copy)
    began = time.monotonic()
    Store.open(copy).close()
    return time.monotonic() - began


def _version(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        ((version,),) = connection.execute("SELECT version FROM allotment_store")
    return version


def _held(database: Path, columns: Mapping[str, str] = ALL) -> tuple[object, ...]:
    """All documents, all of the journal, all spaces."""
    with closing(sqlite3.connect(database)) as connection:
        return tuple(
            sorted(connection.execute(f"SELECT {what} FROM {table}").fetchall())
            for table, what in columns.items()
        )
