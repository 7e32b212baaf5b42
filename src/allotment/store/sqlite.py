"""A SQLite database as the store wants it: durable, and one writer at a time."""

from __future__ import annotations

import os
import sqlite3
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, NullPool, QueuePool, event

from allotment.errors import StoreError
from allotment.store.database import Database, source

# How long a writer waits for the one before it, in seconds; a commit takes about a millisecond.
_PATIENCE: Final = 30

# How long a change of a token waits, in seconds: the caller must soon know whether it was made.
_PATIENCE_URGENT: Final = 10

# What the file of sticky assignments has behind the name of the file it belongs to.
KEPT: Final = ".kept"


def connect(path: Path) -> Database:
    """The database in the file at `path`, which a first connection makes.

    Sticky assignments are in a file beside it: SQLite lets one writer into a file at a time, and
    they wait for no change of the catalog.
    """
    path = path.absolute()
    return replace(_database(path), beside=_database(path, KEPT))


def backup(database: Database, target: Path) -> tuple[Path, ...]:
    """Copy the catalogs and the sticky assignments into `target` and the file beside it.

    The sticky assignments are copied last: what is kept later than the catalog does no harm.
    """
    if database.beside is None:
        raise StoreError(f"{database.name} is not SQLite: pg_dump makes its back-up")
    files = {target: database.name, target.with_name(f"{target.name}{KEPT}"): database.beside.name}
    for file in files:
        if file.exists():
            raise StoreError(f"there is a file {file} already: a back-up takes a new name")
    partial = {file: file.with_name(f"{file.name}.{os.getpid()}.partial") for file in files}
    try:
        for file, origin in files.items():
            _copy(Path(origin), partial[file])
        for file in reversed(files):  # the store itself last: it is whole when it is there
            partial[file].replace(file)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"the store {database.name} cannot be copied: {error}") from error
    finally:
        for each in partial.values():
            each.unlink(missing_ok=True)
    return tuple(files)


def _copy(origin: Path, target: Path) -> None:
    opened = sqlite3.connect(f"{origin.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)
    try:
        opened.execute("VACUUM INTO ?", (str(target),))
    finally:
        opened.close()
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _database(named: Path, end: str = "") -> Database:
    # A reader's connection, made while the disk could not be written, is good to read for ever and
    # never to write: writers have connections of their own.
    #
    # A writer takes the lock before it reads: what it read cannot change under it.
    file = _File(named, end)
    path = Path(file.real()) if end else named
    reading = _read_only(path) if _is_for_reading(path) else _source(file, "BEGIN")
    return Database(str(path), reading, _source(file, "BEGIN IMMEDIATE"))


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
        status = real.stat()
        size = log.stat().st_size if log.exists() else 0
        return status.st_ino, status.st_size, status.st_mtime_ns, size

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


class _File:
    """The file of a store, which the first connection makes, and which must stay where it is.

    A connection goes on with a file that was deleted, moved or replaced, and what it writes there
    is lost. It writes to the log beside the file first, and finds its way there by an index, so
    those count as well. So every transaction looks whether the path still leads to the same place
    and to the same three, as it begins and before it commits. While a connection is open, SQLite
    keeps the log and the index. A connection that is made later never makes the file again.

    `path` is absolute, so that it leads nowhere once its folder is renamed, and `end` is what the
    file has behind the name that `path` leads to.
    """

    def __init__(self, path: Path, end: str) -> None:
        self._path = path
        self._end = end
        self._is_made = bool(end)

    def real(self) -> str:
        """Where the path leads now."""
        return f"{os.path.realpath(self._path)}{self._end}"

    def open(self) -> sqlite3.Connection:
        uri = f"{Path(self.real()).as_uri()}?mode={'rw' if self._is_made else 'rwc'}"
        opened = sqlite3.connect(uri, uri=True, timeout=_PATIENCE, check_same_thread=False)
        self._is_made = True
        return opened

    def check(self, connection: Connection) -> None:
        """Raise StoreError where the connection is to another file than the path leads to."""
        real = self.real()
        now = (real, *(_inode(f"{real}{end}") for end in ("", "-wal", "-shm")))
        before = connection.info.get("file", now)
        # A file that is new has no log before something is written.
        same = all(old in (None, new) for old, new in zip(before, now, strict=True))
        if now[1] is None or not same:
            connection.invalidate()
            raise StoreError(
                f"the file of the store {real}, or its log, was deleted, moved or replaced while "
                "it was open: nothing more is written to the one it was"
            )
        connection.info["file"] = now


def _inode(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _source(file: _File, begin: str) -> Engine:
    engine = source(URL.create("sqlite"), _prepare, creator=file.open, poolclass=QueuePool)

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        file.check(connection)
        is_urgent = connection.get_execution_options().get("urgent", False)
        if is_urgent:
            _begin_urgently(connection, begin)
        else:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {_PATIENCE * 1000}")
            connection.exec_driver_sql(begin)

    event.listen(engine, "commit", file.check)
    return engine


def _begin_urgently(connection: Connection, begin: str) -> None:
    """Begin, asking for the lock every millisecond.

    SQLite's own waiting asks ever more rarely. Changes of other processes that follow each other
    would keep the lock from it.
    """
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA busy_timeout = 1")
    until = time.monotonic() + _PATIENCE_URGENT
    while time.monotonic() < until:
        try:
            driver.execute(begin)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                continue
            break
        return
    connection.exec_driver_sql(begin)


def _prepare(connection: Any) -> None:
    # The driver's own idea of when to begin a transaction is switched off; `begin` says when.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL syncs the log at every commit: an acknowledged change survives a loss of power.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
