"""Lay a store in a new database, or bring one of an earlier release up to this one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Final

from sqlalchemy import Connection, event, inspect, select, text

from allotment.errors import StoreError
from allotment.store.database import Database
from allotment.store.schema import VERSION, allotment_store, kept_assignment, kept_metadata

_STEPS: Final = Path(__file__).parent / "migrations"

# The advisory lock that serialises migrations of one PostgreSQL database.
_TURN: Final = 0x616C6C6F746D6E74

# Alembic keeps what it is doing in variables of its modules.
_one_at_a_time: Final = Lock()


def ready(database: Database, *, create: bool) -> None:
    """Make the database a store of this version, even if others do so at the same time.

    A new database is laid out where `create` says so. Raises StoreError for one without a store
    otherwise, for one of something else, and for a store of a later version.
    """
    with database.transaction(writes=False) as connection:
        version = _version(connection, database.name)
    if version == VERSION:
        _find_beside(database)
        _guard(database)
        return
    if version is None and not create:
        raise StoreError(
            f"there is no store in {database.name}; `allotment apply FILE` makes one",
            code="no_store",
        )
    try:
        _bring_up(database)
    except StoreError as error:
        if version is None:
            raise
        raise StoreError(
            f"the store has schema version {version} and is brought up to {VERSION} when it is "
            f"opened, which did not work here: {error}"
        ) from error
    _find_beside(database)
    _guard(database)


def _find_beside(database: Database) -> None:
    """Raise StoreError where the file of sticky assignments is not there, or is something else."""
    beside = database.beside
    if beside is None:
        return
    if not Path(beside.name).exists():
        raise StoreError(
            f"the store {database.name} has its sticky assignments in {beside.name}, which is not "
            "there: put it back from the same back-up, or make an empty file of that name to go on "
            "without what was kept",
            code="no_kept",
        )
    with beside.transaction(writes=False) as connection:
        tables = inspect(connection).get_table_names()
    if not tables:
        lay_beside(beside)
    elif kept_assignment.name not in tables:
        raise StoreError(
            f"{beside.name} is a database of something else, not of sticky assignments"
        )


def lay_beside(beside: Database) -> None:
    """Make the file of sticky assignments, and what is in it of tables."""
    Path(beside.name).touch()
    with beside.transaction(writes=True) as connection:
        kept_metadata.create_all(connection)


def _guard(database: Database) -> None:
    """Have every writer look, before it writes, whether a later release brought the store up."""

    @event.listens_for(database.writing, "begin")
    def _(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":  # a release that migrates waits for this turn
            connection.execute(text("SELECT pg_advisory_xact_lock_shared(:turn)"), {"turn": _TURN})
        _check(connection.execute(select(allotment_store.c.version)).scalar_one(), database.name)

    if database.beside is not None:

        @event.listens_for(database.beside.writing, "begin")
        def _(_connection: Connection) -> None:
            with database.transaction(writes=False) as own:
                _check(own.execute(select(allotment_store.c.version)).scalar_one(), database.name)


def _bring_up(database: Database) -> None:
    with database.transaction(writes=True) as connection:
        if connection.dialect.name == "postgresql":  # SQLite's writers take turns anyway
            for patience in ("lock_timeout", "idle_in_transaction_session_timeout"):
                connection.execute(text(f"SET LOCAL {patience} = 0"))  # a step may take long
        with _unhurried(connection):
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})
            version = _version(connection, database.name)
            if version != VERSION:
                try:
                    _migrate(connection, version, database.beside)
                except (ValueError, KeyError) as error:
                    raise StoreError(
                        f"the store {database.name} has schema version {version} and cannot be "
                        f"brought up to {VERSION}: {error}"
                    ) from error


@contextmanager
def _unhurried(connection: Connection) -> Iterator[None]:
    """Let the server keep silent for as long as a step takes."""
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name != "postgresql":
        yield
        return
    usual, driver.silence = driver.silence, None
    try:
        yield
    finally:
        driver.silence = usual


def _version(connection: Connection, name: str) -> int | None:
    """The version of the store in a database, None where that is empty."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if allotment_store.name not in tables:
        raise StoreError(f"{name} is a database of something else, not a store")
    version: int = connection.execute(select(allotment_store.c.version)).scalar_one()
    _check(version, name)
    return version


def _check(version: int, name: str) -> None:
    if version > VERSION:
        raise StoreError(
            f"the store {name} has schema version {version}, and this Allotment knows versions up "
            f"to {VERSION}: open it with the Allotment that wrote it, or a later one"
        )


def _migrate(connection: Connection, version: int | None, beside: Database | None) -> None:
    # A store that is as it should be, which is nearly every one, never waits for this import.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["beside"] = beside
    with _one_at_a_time:
        if version is not None:
            command.stamp(config, str(version))  # the first release did not know of Alembic
        command.upgrade(config, "head")
