"""A SQLite database as the store wants it: durable, and one writer at a time."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, NullPool, event

from allotment.errors import StoreError
from allotment.store.database import Database, source

# How long a writer waits for the one before it, in seconds; a commit takes about a millisecond.
_PATIENCE: Final = 30


def connect(path: Path) -> Database:
    """The database in the file at `path`, which a first connection makes."""
    # A reader's connection, made while the disk could not be written, is good to read for ever and
    # never to write: writers have connections of their own.
    #
    # A writer takes the lock before it reads: what it read cannot change under it.
    reading = _read_only(path) if _is_for_reading(path) else _source(path, "BEGIN")
    return Database(str(path), reading, _source(path, "BEGIN IMMEDIATE"))


def _is_for_reading(path: Path) -> bool:
    """Whether SQLite cannot do here what even a reader does: keep a log beside the file."""
    return path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def _read_only(path: Path) -> Engine:
    """Connections to a file that this process cannot write, or in a folder it cannot write.

    While a writer has the store open, its log is there and is read with it. Where there is no log,
    the whole store is in the file, which is read without locks: they need a log. So each
    transaction has a connection of its own, and what it read does not count where the file was
    changed meanwhile.
    """
    real = path.resolve()
    log, index = (real.with_name(f"{real.name}-{end}") for end in ("wal", "shm"))

    def state() -> tuple[int, ...]:
        told = real.stat()
        size = log.stat().st_size if log.exists() else 0
        return told.st_ino, told.st_size, told.st_mtime_ns, size

    def opened() -> sqlite3.Connection:
        is_whole = not state()[3]
        if not is_whole and not index.exists():
            raise StoreError(
                f"the store {path} was not closed, and its last changes lie in {log.name}: they "
                "can be read once it was opened where it can be written"
            )
        uri = f"{real.as_uri()}?{'immutable=1' if is_whole else 'mode=ro'}"
        return sqlite3.connect(uri, uri=True, timeout=_PATIENCE, check_same_thread=False)

    def prepare(connection: Any) -> None:
        connection.isolation_level = None

    engine = source(URL.create("sqlite"), prepare, creator=opened, poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        connection.info["state"] = state()
        connection.exec_driver_sql("BEGIN")

    @event.listens_for(engine, "commit")
    def _(connection: Connection) -> None:
        before = connection.info["state"]
        if before[3] == 0 and state() != before:
            raise StoreError(f"the store {path} was changed while it was read: read it again")

    return engine


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
