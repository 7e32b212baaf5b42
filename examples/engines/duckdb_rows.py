"""Twenty million users of a DuckDB file, assigned in three ways: how long each takes.

    python examples/engines/duckdb_rows.py            # or any other number of users

Beside each way stands what DuckDB takes for the same query without assigning anything.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa

import allotment
from allotment.duckdb import register

CATALOG = Path(__file__).with_name("catalog.yaml")
UNITS = ("user_id", "country", "age")


def make_users(con: duckdb.DuckDBPyConnection, rows: int) -> None:
    """A table of users: text for keys, a country and an age."""
    con.execute(
        """CREATE TABLE users AS SELECT 'user-' || n AS user_id,
        ['SE', 'NO', 'DE', 'FR'][1 + n % 4] AS country, 18 + n % 60 AS age
        FROM range($rows) r(n)""",
        {"rows": rows},
    )


def by_function(con: duckdb.DuckDBPyConnection) -> None:
    """The function in SQL, called for 2,048 rows at a time."""
    con.execute(
        """CREATE OR REPLACE TABLE assigned AS SELECT user_id,
        assign('price-page', user_id, {'country': country, 'age': age}) AS treatment FROM users"""
    )


def by_stream(con: duckdb.DuckDBPyConnection, engine: allotment.Engine) -> None:
    """Batches of 131,072 rows out of DuckDB, through the engine, and back."""

    def assigned(batch: pa.RecordBatch) -> pa.RecordBatch:
        column = engine.assign_many("price-page", batch["user_id"], batch)
        columns = {"user_id": batch["user_id"], "treatment": column.to_arrow()}
        return pa.RecordBatch.from_pydict(columns)

    reader = con.cursor().sql("FROM users").to_arrow_reader(131_072)
    schema = assigned(pa.RecordBatch.from_pylist([], reader.schema)).schema
    batches = pa.RecordBatchReader.from_batches(schema, map(assigned, reader))
    con.register("batches", batches)
    con.execute("CREATE OR REPLACE TABLE assigned AS FROM batches")
    con.unregister("batches")


def by_file(users: Path, out: Path) -> None:
    """The command line, from one Parquet file to another."""
    arguments = ["assign", users, out, "--catalog", CATALOG, "--unit-column", "user_id"]
    subprocess.run(
        [sys.executable, "-m", "allotment.cli.app", *map(str, arguments), "--no-summary"],
        check=True,
        stderr=subprocess.DEVNULL,
    )


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def counts(con: duckdb.DuckDBPyConnection, table: str) -> dict[str | None, int]:
    """Units by treatment."""
    return dict(con.execute(f"SELECT treatment, count(*) FROM {table} GROUP BY ALL").fetchall())


def main(rows: int, folder: Path) -> None:
    """Print a line for each way, and check that all agree."""
    engine = allotment.load(CATALOG)
    users, out = folder / "users.parquet", folder / "out.parquet"
    with duckdb.connect(folder / "users.duckdb", config={"threads": 2}) as con:
        make_users(con, rows)
        con.execute(f"COPY users TO '{users}'")
        register(con, engine)
        plain = (
            "CREATE OR REPLACE TABLE assigned AS SELECT user_id, country AS treatment FROM users"
        )
        ways: dict[str, Callable[[], object]] = {
            "DuckDB alone: a table of two columns": lambda: con.execute(plain),
            "assign() in SQL": lambda: by_function(con),
            "a stream of Arrow batches": lambda: by_stream(con, engine),
            "allotment assign, from file to file": lambda: by_file(users, out),
        }
        print(f"{rows:,} users, {users.stat().st_size / 2**20:,.0f} MiB of Parquet")
        found = []
        for name, work in ways.items():
            taken = seconds(work)
            print(f"{name:40} {taken:7.2f} s {rows / taken / 1e6:7.1f} million rows a second")
            found.append(counts(con, "assigned"))
        file = f"(SELECT \"price-page\" AS treatment FROM '{out}')"
        assert found[1] == found[2] == counts(con, file), "all ways give the same"
        print(found[1])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(int(sys.argv[1]) if sys.argv[1:] else 20_000_000, Path(made))
