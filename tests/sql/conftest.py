"""Engines of SQL that are there in every run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from postgres import Postgres
from sqlengines import DuckDb, PostgreSql, SqlEngine


@pytest.fixture(scope="module")
def duckdb() -> DuckDb:
    return DuckDb()


@pytest.fixture(scope="module")
def postgresql(postgres: Postgres) -> Iterator[PostgreSql]:
    url = postgres.fresh()
    with postgres.connect(url) as connection:
        yield PostgreSql(connection)
    postgres.release(url)


@pytest.fixture(params=["duckdb", "postgresql"], scope="module")
def engine(request: pytest.FixtureRequest) -> SqlEngine:
    found: SqlEngine = request.getfixturevalue(request.param)
    return found
