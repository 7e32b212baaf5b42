"""Where a store is: a path, or the URL of a database."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from allotment.errors import InvalidInput, MissingExtra, StoreError
from allotment.store import sqlite
from allotment.store.database import Database

_FORMS = "a path, sqlite:///PATH, or postgresql+psycopg://USER@HOST/DATABASE"


def find(database: str | Path, *, create: bool) -> Database:
    """The database that `database` names; raises StoreError for a file missing and not wanted.

    Raises InvalidInput for what names none, without repeating it: it may hold a password.
    """
    url = _url(database) if isinstance(database, str) and "://" in database else None
    if url is not None and url.get_backend_name() == "postgresql":
        try:
            from allotment.store import postgresql  # noqa: PLC0415  # it needs psycopg

            return postgresql.connect(url, address(url))
        except ModuleNotFoundError as error:
            raise MissingExtra(
                f"PostgreSQL needs {error.name}: install 'allotment[postgres]'"
            ) from error
    path = _path(database)
    if str(path) in ("", ".", ":memory:"):
        raise InvalidInput("a store is in a file, so that it is kept; give its path")
    if not create and not path.exists():
        raise StoreError(
            f"there is no store at {path}; `allotment apply FILE` makes one", code="no_store"
        )
    return sqlite.connect(path)


def name(database: str) -> str:
    """How a store is called wherever it is: its whole path, or its address without the user.

    Raises InvalidInput as `find` does.
    """
    if "://" in database and (url := _url(database)).get_backend_name() == "postgresql":
        return address(url)
    return str(_path(database).absolute())


def address(url: URL) -> str:
    """A PostgreSQL database's address, as messages have it: without user and password."""
    host = url.host or url.query.get("host") or "localhost"
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{host}{port}/{url.database or ''}"


def _path(database: str | Path) -> Path:
    text = str(database)
    return Path((_url(text).database or "") if "://" in text else text)


def _url(text: str) -> URL:
    # People copy URLs with the short scheme that other programs take.
    if text.startswith("postgres://"):
        text = text.replace("postgres://", "postgresql://", 1)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise InvalidInput(f"this is not the URL of a database: give {_FORMS}") from error
    if url.drivername not in ("sqlite", "postgresql", "postgresql+psycopg"):
        raise InvalidInput(f"a store is not kept in {url.drivername}: give {_FORMS}")
    return url
