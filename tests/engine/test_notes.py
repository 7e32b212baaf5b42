"""A column of a type that a condition can never match is warned about, once, before the run."""

from __future__ import annotations

import pickle
import warnings
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import allotment
import nouns
from allotment.compile import compile_catalog
from allotment.model.catalog import Catalog
from allotment.model.segment import Clause, Not, Operator, Segment

ADULT = Clause(("age",), Operator.AT_LEAST, (18,))
UNITS = ["user-1", "user-2"]


def catalog(*clauses: Clause, experiments: int = 1) -> Catalog:
    segments = [Segment(f"s{i}", rules=(clause,)) for i, clause in enumerate(clauses)]
    tests = [
        nouns.experiment(f"e{i}-{n}", nouns.iteration(audience=f"s{i}"))
        for i in range(len(clauses))
        for n in range(experiments)
    ]
    return nouns.catalog(*segments, *tests)


def told(column: object, *clauses: Clause) -> list[str]:
    """What is noted about a column `age`."""
    noted: list[str] = []
    engine = allotment.Engine(compile_catalog(catalog(*clauses)), note=noted.append)
    engine.assign_table(UNITS, None, {"age": column})
    return noted


NEVER = [
    (pa.array(["20", "30"]), "text"),
    (pa.array(["20", None], pa.string_view()), "text"),
    (pa.array([b"20", b"30"]), "text"),
    (pa.array(["20", "20"]).dictionary_encode(), "text"),
    (pa.array([["20"], []]), "text"),
    (pa.chunked_array([["20"], ["30"]]), "text"),
    (pa.array([date(2026, 1, 1)] * 2), "text"),
    (pa.array([True, False]), "truth values"),
    (np.array(["20", "30"]), "text"),
    (np.array([True, False]), "truth values"),
    (pd.Series(["20", "30"], dtype="string[pyarrow]"), "text"),
    (pl.Series(["20", "30"]), "text"),
]


@pytest.mark.parametrize(("column", "holds"), NEVER)
def test_a_column_of_a_type_that_never_matches_is_noted(column: object, holds: str) -> None:
    (one,) = told(column, ADULT)
    assert one == (
        f"column 'age' holds {holds}, and the condition age at_least 18 compares a number: "
        "it holds for no unit. CAST the column"
    )


@pytest.mark.parametrize(
    "column",
    [pa.array([20, 30]), pa.array([Decimal("20.5")] * 2), pa.array([[20], []]), pa.nulls(2),
     np.array([20.5, 30]), pl.Series([20, 30]), ["20", "30"], np.array(["20", "30"], object)],
    ids=str,
)  # fmt: skip
def test_what_may_match_is_not_noted(column: object) -> None:
    assert told(column, ADULT) == []


def test_each_condition_is_noted_by_itself() -> None:
    text = Clause(("age",), Operator.IN, ("20",))
    mixed = Clause(("age",), Operator.IN, ("20", 20, True))
    there = Clause(("age",), Operator.EXISTS)
    (one,) = told(pa.array(["20", "30"]), ADULT, text, mixed, there)
    assert "at_least" in one
    (other,) = told(pa.array([20, 30]), ADULT, text, mixed, there)
    assert "age in '20' compares text" in other


def test_a_condition_is_found_behind_references_and_in_structs() -> None:
    deep = Segment("deep", rules=(Not(Clause(("user", "age"), Operator.LESS, (18,))),))
    test = nouns.experiment("e", nouns.iteration(audience="deep"))
    engine = allotment.load(nouns.catalog(deep, test))
    table = pa.table({"user": [{"age": "20"}, {"age": "30"}]})
    with pytest.warns(allotment.NeverMatches, match="column 'user.age' holds text"):
        engine.assign_many("e", UNITS, table)


def test_a_combination_is_warned_about_once_where_the_batch_was_asked_for() -> None:
    engine = allotment.load(catalog(ADULT, experiments=3))
    text, truth = pa.array(["20", "30"]), pa.array([True, False])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            engine.assign_table(UNITS, None, {"age": text})
            engine.assign_many("e0-1", UNITS, {"age": text})
        engine.assign_many("e0-2", UNITS, {"age": truth})
        pickle.loads(pickle.dumps(engine)).assign_many("e0-0", UNITS, {"age": text})
    assert [(each.category, Path(each.filename).name) for each in caught] == [
        (allotment.NeverMatches, Path(__file__).name)
    ] * 3
    said = [str(each.message).split(",")[0] for each in caught]
    assert said == [f"column 'age' holds {kind}" for kind in ("text", "truth values", "text")]
