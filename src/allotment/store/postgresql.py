"""A PostgreSQL database: many nodes, one writer a space at a time, and bounded waiting."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, Final, TypeVar

from psycopg import Connection, OperationalError
from psycopg.waiting import Ready, Wait
from sqlalchemy import URL, event

from allotment.store.database import Database, source

# A server that does not answer is away: a write says so soon instead of waiting for it.
_CONNECT_SECONDS: Final = 2
_SILENCE_MS: Final = 5_000

# A writer that waits longer for the one before it gives up; and one that stops in the middle, its
# process frozen perhaps, loses the rows it holds. A commit takes a few milliseconds, and that of a
# hundred thousand experiments half a minute.
_LOCK_SECONDS: Final = 10
_IDLE_SECONDS: Final = 60


def connect(url: URL, name: str) -> Database:
    """The database at `url`, which messages call `name`; nothing is asked of it yet."""
    engine = source(
        url.set(drivername="postgresql+psycopg"),
        _prepare,
        # A connection is tried before it is used, so that a server that was restarted is found
        # again without an error.
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            "tcp_user_timeout": _SILENCE_MS,
            "application_name": url.query.get("application_name", "allotment"),
        },
    )

    @event.listens_for(engine, "do_connect")
    def _(_dialect: object, _record: object, arguments: list[Any], named: dict[str, Any]) -> Any:
        return PatientConnection.connect(*arguments, **named)

    return Database(
        name,
        # A reader sees one moment throughout and waits for no writer. A writer sees, from when it
        # holds the rows it locks, all that was committed by those who held them before.
        engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True),
        engine.execution_options(isolation_level="READ COMMITTED"),
    )


def _prepare(connection: Any) -> None:
    connection.autocommit = True
    connection.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
    connection.execute(f"SET idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s'")
    connection.autocommit = False


T = TypeVar("T")


class PatientConnection(Connection[Any]):
    """A connection that is closed when the server sends nothing in the middle of a statement.

    A server whose machine or disk hangs sends nothing, keeps its connections open, and does not
    apply its own `statement_timeout`. `silence` is how long it may send nothing, in seconds. It is
    longer than `lock_timeout`. None means without a bound.
    """

    silence: float | None = 15

    def wait(self, gen: Generator[Wait, Ready | int, T], *arguments: Any, **named: Any) -> T:
        """The result of `gen`; psycopg waits for each answer of the server here."""
        return super().wait(self._heard(gen), *arguments, **named)

    def _heard(self, gen: Generator[Wait, Ready | int, T]) -> Generator[Wait, Ready | int, T]:
        last = time.monotonic()
        try:
            state = next(gen)
            while True:
                ready = yield state
                if ready != Ready.NONE:
                    last = time.monotonic()
                elif self.silence is not None and time.monotonic() - last > self.silence:
                    self.close()
                    raise OperationalError(f"it did not answer within {self.silence} seconds")
                state = gen.send(ready)
        except StopIteration as done:
            value: T = done.value
            return value
