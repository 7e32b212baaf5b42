"""Polars: one expression over two columns, with its own hash."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import polars as pl


def prepare(experiments: dict[str, list[str]], shares: dict[str, int]) -> dict[str, Any]:
    hashed = (pl.lit("exp_0:") + pl.col("unit")).hash(0) % 10_000
    bucket = pl.col("bucket")
    treatment: Any = pl.lit(None, pl.String)
    bounds = list(zip(accumulate(shares.values()), shares, strict=True))
    for bound, name in reversed(bounds):
        treatment = pl.when(bucket < bound).then(pl.lit(name)).otherwise(treatment)
    asked = pl.when(pl.col("country").is_in(experiments["exp_0"])).then(treatment)

    def table(units: list[str], countries: list[str]) -> pl.DataFrame:
        return pl.DataFrame({"unit": units, "country": countries})

    def batch(frame: pl.DataFrame) -> Any:
        return frame.lazy().with_columns(bucket=hashed).select(asked).collect().to_series()

    return {"table": table, "batch": batch}
