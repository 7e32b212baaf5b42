"""The sample-ratio check of a table in memory is that of `allotment srm`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import allotment
import nouns
from allotment.errors import InvalidInput
from allotment.srm import ObservedRatio, Unchecked, Verdict, check

ENGINE = allotment.load(nouns.catalog(nouns.experiment("checkout"), nouns.experiment("other")))
UNITS = [f"user-{number}" for number in range(4_000)]
SEEN = pa.table(
    {
        "when": range(4_000),  # a column that the check does not know
        "experiment": ["checkout"] * 4_000,
        "treatment": ENGINE.assign_many("checkout", UNITS).names(),
        "unit": UNITS,
    }
)


@pytest.mark.parametrize(
    "form",
    [
        lambda table: table,
        lambda table: table.to_pandas(),
        lambda table: table.to_pandas().set_index("when"),
        lambda table: table.to_pandas().astype({"treatment": "category"}),
        pl.from_arrow,
        lambda table: pl.from_arrow(table).cast({"treatment": pl.Categorical()}),
        duckdb.from_arrow,
    ],
    ids=["arrow", "pandas", "index", "category", "polars", "categorical", "duckdb"],
)
def test_exposures_may_be_a_table_of_any_library(form: Callable[[pa.Table], Any]) -> None:
    [found] = check(ENGINE, form(SEEN))
    assert isinstance(found, ObservedRatio)
    counts = ENGINE.assign_many("checkout", UNITS).counts()
    assert dict(zip(found.treatments, found.ratio.counts, strict=True)) == {
        name: units for (name, _), units in counts.items()
    }
    assert found.ratio.buckets == (500_000, 500_000)
    assert found.verdict is Verdict.EXPECTED


def test_units_that_are_missing_from_one_treatment_are_off() -> None:
    seen = SEEN.to_pandas()
    lost = seen[(seen["treatment"] == "control") & (seen.index % 4 == 0)]
    [found] = check(ENGINE, seen.drop(lost.index))
    assert isinstance(found, ObservedRatio)
    assert found.is_off
    assert found.farthest[0] in {"control", "green"}


def test_counts_are_checked_and_only_the_experiments_that_are_named() -> None:
    rows = [(key, name, 500) for key in ("checkout", "other") for name in ("control", "green")]
    counts = pd.DataFrame(rows, columns=["experiment", "treatment", "units"])
    assert len(check(ENGINE, counts)) == 2
    [found] = check(ENGINE, counts, ["other"])
    assert isinstance(found, ObservedRatio)
    assert (found.experiment, found.ratio.counts) == ("other", (500, 500))


def test_what_cannot_be_checked_says_why() -> None:
    seen = pd.DataFrame({"experiment": ["gone"], "treatment": ["a"], "unit": ["u"]})
    [found] = check(ENGINE, seen)
    assert isinstance(found, Unchecked)
    assert (found.units, found.why) == (1, "the catalog has no such experiment")


@pytest.mark.parametrize(
    ("exposures", "said"),
    [
        (
            pd.DataFrame({"treatment": ["a"]}),
            "no column 'experiment'; their columns are: treatment",
        ),
        (SEEN.drop_columns("unit"), "'unit', and a table of counts has a column 'units'"),
        ([1, 2], "a data frame or an Arrow table, not list"),
        ("seen.csv", "a data frame or an Arrow table, not str"),
    ],
)
def test_what_is_neither_exposures_nor_counts_is_refused(exposures: object, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        check(ENGINE, exposures)
