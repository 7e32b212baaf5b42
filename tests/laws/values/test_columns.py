"""Columns of every producer: what is read, and what is refused with a way out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import allotment
import nouns
from allotment.model.assignment import REASONS
from allotment.model.segment import Clause, Operator, Segment

ADULTS = Segment("adults", rules=(Clause(("age",), Operator.AT_LEAST, (18,)),))
ENGINE = allotment.load(
    nouns.catalog(ADULTS, nouns.experiment("checkout", nouns.iteration(audience="adults")))
)
EVERYONE = allotment.load(nouns.catalog(nouns.experiment("checkout")))


def adults(column: object, rows: int) -> list[bool]:
    """Which rows are in the audience."""
    units = [f"user-{number}" for number in range(rows)]
    is_table = isinstance(column, duckdb.DuckDBPyRelation)
    found = ENGINE.assign_many("checkout", units, column if is_table else {"age": column})
    return [REASONS[reason] == "ALLOCATED" for reason in found.reasons]


@pytest.mark.parametrize(
    "column",
    [pl.Series([None, None]), pa.nulls(2), pd.Series([None, None]), np.array([np.nan, np.nan]),
     pd.Series([pd.NA, np.nan], dtype=object), pd.Series([None, 1], dtype="Int8")[:1].repeat(2),
     duckdb.sql("SELECT NULL AS age FROM range(2)"),
     pl.Series([None, None], dtype=pl.List(pl.Int8)),
     np.ma.array([18, 18], mask=[1, 1])],
    ids=lambda column: f"{type(column).__module__}.{type(column).__name__}",
)  # fmt: skip
def test_a_column_of_nulls_from_any_producer_is_absent(column: object) -> None:
    assert adults(column, 2) == [False, False]


@pytest.mark.parametrize(
    "made", [pd.Series, lambda some: pd.DataFrame({"age": some})["age"], np.array, list, tuple]
)
def test_a_pandas_column_of_mixed_types_is_its_values(made: Callable[..., Any]) -> None:
    mixed = [17, "18", Decimal("18.5"), None, float("nan"), [1, 19], True, 20]
    column = made(mixed) if made in (list, tuple) else made(pd.array(mixed, dtype=object))
    assert adults(column, 8) == [False, False, True, False, False, True, False, True]
    frame = pd.DataFrame({"age": pd.array(mixed, dtype=object), 5: range(8), "other": [{1}] * 8})
    units = pd.Series([f"user-{number}" for number in range(8)])
    assert (
        ENGINE.assign_many("checkout", units, frame).names()
        == ENGINE.assign_many("checkout", list(units), [{"age": age} for age in mixed]).names()
    )


REFUSED = {
    "duration": (pa.array([timedelta(1)]), "a duration"),
    "interval": (pa.array([(1, 2, 3)], pa.month_day_nano_interval()), "an interval"),
    "map": (pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8())), "a map"),
    "fixed binary": (pa.array([b"ab"], pa.binary(2)), "binary of a fixed size"),
    "view of lists": (pa.array([[1]], pa.list_view(pa.int8())), "a view of lists"),
    "list of durations": (pa.array([[timedelta(1)]]), "a duration"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_column_that_nothing_reads_is_refused_with_its_name_its_type_and_a_way_out(
    name: str,
) -> None:
    column, said = REFUSED[name]
    for attributes in ({"age": column}, table(column)):
        with pytest.raises(allotment.InvalidInput, match=rf"{said}.*CAST.*\$\.attributes\.age$"):
            ENGINE.assign_many("checkout", ["user-1"], attributes)


def table(column: Any) -> pa.Table:
    return pa.table({"age": column, "other": column})


def test_a_column_that_its_own_library_cannot_hand_over_is_refused_with_its_name() -> None:
    column = pl.Series([object()], dtype=pl.Object)
    with pytest.raises(allotment.InvalidInput, match=r"\$\.attributes\.age$"):
        ENGINE.assign_many("checkout", ["user-1"], {"age": column})


IDS = [UUID(int=number << 96) for number in range(40)]
NUMBERS = [10**20 + number for number in range(40)]
UNITS: dict[str, tuple[object, list[Any]]] = {
    "uuids": (IDS, IDS),
    "uuid column": (
        pa.ExtensionArray.from_storage(pa.uuid(), pa.array([i.bytes for i in IDS], pa.binary(16))),
        IDS,
    ),
    "series of uuids": (pd.Series(IDS), IDS),
    "DuckDB": (duckdb.sql("SELECT unnest($1)::UUID AS id", params=[[str(i) for i in IDS]]), IDS),
    "decimals": ([Decimal(number) for number in NUMBERS], NUMBERS),
    "decimal column": (pa.array([Decimal(n) for n in NUMBERS], pa.decimal128(38, 0)), NUMBERS),
    "dictionary": (
        pa.array([Decimal(n) for n in NUMBERS], pa.decimal256(50, 0)).dictionary_encode(),
        NUMBERS,
    ),
    "polars": (pl.Series(NUMBERS, dtype=pl.Int128), NUMBERS),
    "bytes": ([str(number).encode() for number in NUMBERS], NUMBERS),
    "numpy bytes": (np.array([str(number).encode() for number in NUMBERS]), NUMBERS),
}


@pytest.mark.parametrize("name", UNITS)
def test_units_of_every_type_have_the_key_of_their_text(name: str) -> None:
    column, units = UNITS[name]
    expected = [EVERYONE.assign("checkout", str(unit)).treatment for unit in units]
    assert EVERYONE.assign_many("checkout", column).names() == expected
    assert [EVERYONE.assign("checkout", unit).treatment for unit in units] == expected
    if isinstance(column, list):
        assert [EVERYONE.assign("checkout", unit).treatment for unit in column] == expected


@pytest.mark.parametrize(
    "column",
    [pa.array([Decimal("7.5")]), pa.array([1], pa.date32()), pa.array([1.5], pa.float16()),
     np.array(["2026-01-01"], "M8[D]"), pa.array([b"ab"], pa.binary(2))],
    ids=["decimal", "date", "float16", "numpy date", "fixed binary"],
)  # fmt: skip
def test_a_column_that_is_no_unit_is_refused_with_a_way_out(column: object) -> None:
    with pytest.raises(allotment.InvalidInput, match=r"CAST|convert|places behind the point"):
        EVERYONE.assign_many("checkout", column)
