"""A SQLite database as the store wants it: durable, and one writer at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, event

from allotment.store.database import Database, source

# How long a writer waits for the one before it, in seconds; a commit takes about a millisecond.
_PATIENCE: Final = 30


def connect(path: Path) -> Database:
    """The database in the file at `path`, which a first connection makes."""
    # A reader's connection, made while the disk could not be written, is good to read for ever and
    # never to write: writers have connections of their own.
    #
    # A writer takes the lock before it reads: what it read cannot change under it.
    return Database(str(path), _source(path, "BEGIN"), _source(path, "BEGIN IMMEDIATE"))


def _source(path: Path, begin: str) -> Engine:
    url = URL.create("sqlite", database=str(path))
    engine = source(url, _prepare, connect_args={"timeout": _PATIENCE})

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _prepare(connection: Any) -> None:
    # The driver's own idea of when to begin a transaction is switched off; `begin` says when.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL syncs the log at every commit: an acknowledged change survives a loss of power.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
