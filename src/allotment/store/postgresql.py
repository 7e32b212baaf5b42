"""A PostgreSQL database as the store wants it: many nodes, and one writer a space at a time."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import URL, event

from allotment.errors import MissingExtra
from allotment.store.database import Database, source

# A server that does not answer is away: a write says so soon instead of waiting for it.
_CONNECT_SECONDS: Final = 2
_SILENCE_MS: Final = 5_000

# A writer that waits longer for the one before it gives up; and one that stops in the middle, its
# process frozen perhaps, loses the rows it holds. A commit takes a few milliseconds, and that of a
# hundred thousand experiments half a minute.
_LOCK_SECONDS: Final = 10
_IDLE_SECONDS: Final = 60


def connect(url: URL) -> Database:
    """The database at `url`; nothing is asked of it yet. Raises MissingExtra without psycopg."""
    try:
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
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"PostgreSQL needs {error.name}: install 'allotment[postgres]'"
        ) from error

    @event.listens_for(engine, "do_connect")
    def _(_dialect: object, _record: object, arguments: list[Any], named: dict[str, Any]) -> Any:
        return PatientConnection.connect(*arguments, **named)

    return Database(
        name(url),
        # A reader sees one moment throughout and waits for nobody. A writer sees, from when it
        # holds the rows it locks, all that was committed by those who held them before.
        engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True),
        engine.execution_options(isolation_level="READ COMMITTED"),
    )


def name(url: URL) -> str:
    """The database's address, as messages have it: without user and password."""
    host = url.host or url.query.get("host") or "localhost"
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{host}{port}/{url.database or ''}"


def _prepare(connection: Any) -> None:
    connection.autocommit = True
    connection.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
    connection.execute(f"SET idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s'")
    connection.autocommit = False
