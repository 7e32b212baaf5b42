"""The engines that run our SQL in the tests, each behind the same few words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

LISTS = pa.schema([("list", pa.string()), ("unit", pa.string()), ("treatment", pa.string())])
KEPT = pa.schema(
    [
        ("experiment", pa.string()),
        ("iteration", pa.int64()),
        ("unit", pa.string()),
        ("turn", pa.int64()),
        ("treatment", pa.string()),
    ]
)

Row = tuple[Any, ...]


class SqlEngine(Protocol):
    """Where a statement runs.

    dialect  its name
    errors   what it raises where a statement fails
    """

    dialect: str
    errors: type[Exception]

    def load(self, name: str, table: pa.Table) -> None:
        """Make a table, in place of the one of that name."""

    def run(self, statements: str) -> None:
        """Run statements that answer nothing."""

    def rows(self, query: str) -> list[Row]:
        """What a query answers; raises what the engine does."""


def table_of(rows: Iterable[Sequence[object]], schema: pa.Schema) -> pa.Table:
    """A table of rows."""
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


class DuckDb:
    """DuckDB, in this process."""

    dialect = "duckdb"

    def __init__(self) -> None:
        import duckdb

        self.errors = duckdb.Error
        self.connection = duckdb.connect()

    def load(self, name: str, table: pa.Table) -> None:
        self.connection.register("arrow", table)
        self.connection.execute(f"CREATE OR REPLACE TABLE {name} AS FROM arrow")

    def run(self, statements: str) -> None:
        self.connection.execute(statements)

    def rows(self, query: str) -> list[Row]:
        return self.connection.sql(query).fetchall()


_POSTGRES = {
    pa.string(): "text",
    pa.int64(): "bigint",
    pa.float64(): "double precision",
    pa.bool_(): "boolean",
}


class PostgreSql:
    """A PostgreSQL server, by an open connection."""

    dialect = "postgres"

    def __init__(self, connection: Any) -> None:
        self.errors = psycopg.Error
        self.connection = connection

    def load(self, name: str, table: pa.Table) -> None:
        columns = ", ".join(f"{each.name} {_POSTGRES[each.type]}" for each in table.schema)
        self.connection.execute(f"DROP TABLE IF EXISTS {name}")
        self.connection.execute(f"CREATE TABLE {name} ({columns})")
        with self.connection.cursor().copy(f"COPY {name} FROM STDIN") as copy:
            for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
                copy.write_row(row)

    def run(self, statements: str) -> None:
        self.connection.execute(statements)

    def rows(self, query: str) -> list[Row]:
        found: list[Row] = self.connection.execute(query).fetchall()
        return found


_CLICKHOUSE = {
    pa.string(): "String",
    pa.int64(): "Int64",
    pa.float64(): "Float64",
    pa.bool_(): "Bool",
}


class ClickHouse:
    """ClickHouse, in this process, with tables in memory."""

    dialect = "clickhouse"

    def __init__(self, folder: Path) -> None:
        from chdb.session import Session

        self.errors = RuntimeError
        self.folder = folder
        self.session = Session(str(folder / "clickhouse"))

    def load(self, name: str, table: pa.Table) -> None:
        columns = ", ".join(
            f"`{each.name}` Nullable({_CLICKHOUSE[each.type]})" for each in table.schema
        )
        file = self.folder / f"{name}.parquet"
        pq.write_table(table, file)
        self.session.query(f"DROP TABLE IF EXISTS {name}")
        self.session.query(f"CREATE TABLE {name} ({columns}) ENGINE = Memory")
        self.session.query(f"INSERT INTO {name} SELECT * FROM file('{file}')")

    def run(self, statements: str) -> None:
        for each in statements.split(";"):
            self.session.query(each)

    def rows(self, query: str) -> list[Row]:
        answer = self.session.query(query, "ArrowStream").bytes()
        table = pa.ipc.open_stream(answer).read_all()
        columns = [
            column.cast(pa.string()) if pa.types.is_binary(column.type) else column
            for column in table.columns
        ]
        return list(zip(*(column.to_pylist() for column in columns), strict=True))

    def close(self) -> None:
        self.session.close()


class SparkSql:
    """Spark, by a session."""

    dialect = "spark"

    def __init__(self, session: Any) -> None:
        from pyspark.errors import PySparkException

        self.errors = PySparkException
        self.session = session

    def load(self, name: str, table: pa.Table) -> None:
        self.session.createDataFrame(table).createOrReplaceTempView(name)

    def run(self, statements: str) -> None:
        for each in statements.split(";"):
            self.session.sql(each)

    def rows(self, query: str) -> list[Row]:
        columns = self.session.sql(query).toArrow().columns
        return list(zip(*(column.to_pylist() for column in columns), strict=True))
