"""DuckDB: one expression of SQL over an Arrow table, with its own hash."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import duckdb
import pyarrow as pa


def prepare(experiments: dict[str, list[str]], shares: dict[str, int]) -> dict[str, Any]:
    cases = " ".join(
        f"WHEN bucket < {bound} THEN '{name}'"
        for bound, name in zip(accumulate(shares.values()), shares, strict=True)
    )
    countries = ", ".join(f"'{country}'" for country in experiments["exp_0"])
    sql = (
        f"SELECT CASE WHEN country NOT IN ({countries}) THEN NULL {cases} END AS t "
        "FROM (SELECT country, hash('exp_0:' || unit) % 10000 AS bucket FROM units)"
    )
    connection = duckdb.connect()

    def table(units: list[str], countries: list[str]) -> pa.Table:
        return pa.table({"unit": units, "country": countries})

    def batch(units: pa.Table) -> Any:
        connection.register("units", units)
        return connection.execute(sql).to_arrow_table()["t"]

    return {"table": table, "batch": batch, "listed": lambda column: column.to_pylist()}
