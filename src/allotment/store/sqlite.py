"""A SQLite database as the store wants it: durable, and one writer at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from allotment.errors import StoreError
from allotment.store.schema import DEFAULT_SPACE, VERSION, allotment_store, metadata, space

# How long a writer waits for the one before it, in seconds; a commit takes about a millisecond.
_PATIENCE: Final = 30


def connect(path: Path) -> Engine:
    """A source of connections to the database file at `path`, which a first one makes."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"timeout": _PATIENCE}
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    # The driver's own idea of when to begin a transaction is switched off; `_begin` says when.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL syncs the log at every commit: an acknowledged change survives a loss of power.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    # A writer takes the lock before it reads: what it read cannot change under it.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def transaction(engine: Engine, *, writes: bool) -> Iterator[Connection]:
    """One transaction: all of it or nothing. Whatever the database says becomes a StoreError."""
    try:
        with engine.connect().execution_options(writes=writes) as connection, connection.begin():
            yield connection
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        done = "written" if writes else "read"
        raise StoreError(f"the store {engine.url.database} cannot be {done}: {cause}") from error


def ready(engine: Engine) -> None:
    """Lay the tables in a new database; refuse one that is not a store of this version."""
    with transaction(engine, writes=False) as connection:
        tables = inspect(connection).get_table_names()
        if allotment_store.name in tables:
            _check_version(connection)
            return
    with transaction(engine, writes=True) as connection:
        tables = inspect(connection).get_table_names()
        if allotment_store.name in tables:  # another process was faster
            _check_version(connection)
        elif tables:
            raise StoreError(f"{engine.url.database} is a database of something else, not a store")
        else:
            metadata.create_all(connection)
            connection.execute(insert(allotment_store).values(version=VERSION))
            connection.execute(insert(space).values(name=DEFAULT_SPACE, revision=0))


def _check_version(connection: Connection) -> None:
    version = connection.execute(select(allotment_store.c.version)).scalar_one()
    if version != VERSION:
        raise StoreError(
            f"the store {connection.engine.url.database} has schema version {version}, and this "
            f"Allotment knows version {VERSION}: open it with the Allotment that wrote it"
        )
