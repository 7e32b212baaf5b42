"""One database, SQLite or PostgreSQL: where it is, its connections, and what goes wrong with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from allotment.change.noun_reader import read_json
from allotment.errors import StoreError, StoreFull

# What PostgreSQL says of a disk that is full.
_DISK_FULL: Final = "53100"


def source(url: URL, prepare: Callable[[Any], None], **options: Any) -> Engine:
    """A source of connections, each prepared; all are discarded whenever one fails.

    A connection opened during a fault, on a read-only disk or to a server that has gone, may keep
    the fault for good.
    """

    def connected(connection: Any, _record: object) -> None:
        try:
            prepare(connection)
        except BaseException:
            connection.close()  # nothing else has it yet
            raise

    engine = create_engine(url, json_deserializer=read_json, **options)
    event.listen(engine, "connect", connected)
    event.listen(engine, "handle_error", _give_up)
    return engine


def _give_up(context: ExceptionContext) -> None:
    context.is_disconnect = True


@dataclass(frozen=True, slots=True)
class Database:
    """Connections to a database, in two ways: to read a consistent view, and to write alone.

    `name` is how messages call it; it holds neither user nor password. `beside` is the database of
    sticky assignments, where they are not in this one.
    """

    name: str
    reading: Engine
    writing: Engine
    beside: Database | None = None

    @property
    def keeping(self) -> Database:
        """Where sticky assignments are."""
        return self.beside or self

    @contextmanager
    def transaction(self, *, writes: bool, urgent: bool = False) -> Iterator[Connection]:
        """All of it or nothing; raises StoreError, or StoreFull, for what the database says.

        What is `urgent` waits for another writer no longer than ten seconds.
        """
        engine = self.writing if writes else self.reading
        if urgent:
            engine = engine.execution_options(urgent=True)
        try:
            with engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self._store_error(error, "written" if writes else "read") from error

    def close(self) -> None:
        """Give back every connection."""
        self.reading.dispose()
        self.writing.dispose()
        if self.beside is not None:
            self.beside.close()

    def _store_error(self, error: SQLAlchemyError, done: str) -> StoreError:
        cause = getattr(error, "orig", None) or error
        # What follows the first line may quote the data.
        said = (str(cause).splitlines() or [""])[0]
        code = getattr(cause, "sqlite_errorcode", None), getattr(cause, "sqlstate", None)
        if code[0] == sqlite3.SQLITE_FULL or code[1] == _DISK_FULL:
            return StoreFull(f"the store {self.name} cannot be {done}, its disk is full: {said}")
        if code[0] == sqlite3.SQLITE_BUSY:
            said = f"{said}, another process is writing to it; try again"
        return StoreError(f"the store {self.name} cannot be {done}: {said}")
