"""Our SQL on a real Spark session."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from allotment import sql
from allotment.model.segment import Clause, Not, Operator
from sqlagreeing import Bout
from sqlengines import SparkSql
from sqllargest import LARGEST
from sqlone import one_experiment
from sqlworld import CLAUSES

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")


@pytest.fixture(scope="module")
def engine(spark: SparkSession) -> SparkSql:
    return SparkSql(spark)


def test_spark_and_the_kernel_give_a_hundred_thousand_units_the_same(
    engine: SparkSql, seed: int
) -> None:
    bout = Bout(engine, f"spark/{seed}", 100_000)
    bout.run(catalogs=4)
    assert bout.every_profile() >= 12


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "18"),
        ("text", "DATE '2026-01-02'"),
        ("integer", "'18'"),
        ("integer", "1.5"),
        ("float", "'18'"),
        ("float", "CAST(1 AS BIGINT)"),
        ("boolean", "'true'"),
    ],
)
def test_a_column_of_another_type_is_refused_as_the_statement_runs(
    engine: SparkSql, kind: str, value: str
) -> None:
    query = sql.select(
        one_experiment(Clause(("a",), Operator.EXISTS)),
        "e",
        dialect="spark",
        table=f"(SELECT {value} AS a, 'u' AS unit) AS one",
        unit="unit",
        columns={"a": f"a:{kind}"},
    )
    with pytest.raises(engine.errors, match=f"must be of the kind {kind}"):
        engine.rows(query)


def test_the_largest_is_the_kernels(engine: SparkSql) -> None:
    bout = Bout(engine, "largest", 2_000)
    for what, catalog in LARGEST.items():
        bout.one(what, catalog())


def test_a_clause_and_its_not_hold_for_the_same_rows(engine: SparkSql) -> None:
    bout = Bout(engine, "clauses", 2_000)
    for clause in CLAUSES:
        for rule in (clause, Not(clause)):
            bout.one(str(rule), one_experiment(rule))
