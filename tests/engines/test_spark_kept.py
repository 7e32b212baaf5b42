"""Kept assignments in Spark: a frame of them is joined, and counts as the kernel says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

import allotment
import allotment.spark
from sparkcatalog import engine_at

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")

ENGINE = engine_at(7)
KEYS = ["checkout", "welcome"]  # the first of them keeps none
KEPT = "experiment string, iteration int, unit string, treatment string"
ROWS = 20_000


def users(spark: SparkSession) -> DataFrame:
    frame = spark.range(0, ROWS, 1, 4).withColumnRenamed("id", "n")
    return frame.withColumn("user_id", f.concat(f.lit("user-"), "n"))


def kept_for(users: DataFrame, where: str, treatment: str) -> DataFrame:
    """Rows of the experiment that keeps, for some users."""
    return users.where(where).selectExpr(
        "'welcome' experiment", "1 iteration", "user_id unit", f"'{treatment}' treatment"
    )


def test_a_kept_treatment_counts_and_every_row_is_what_the_kernel_says(spark: SparkSession) -> None:
    """A third has one; rows of other iterations, experiments and treatments count for nothing."""
    frame = users(spark)
    kept = kept_for(frame, "n % 3 = 0", "long")
    noise = [
        kept_for(frame, "n % 5 = 0", "long").withColumn("iteration", f.lit(2)),
        kept_for(frame, "n % 7 = 0", "gone"),
        kept_for(frame, "n % 2 = 0", "control").withColumn("experiment", f.lit("checkout")),
        kept_for(frame, "n % 2 = 0", "long").withColumn("experiment", f.lit("other")),
        kept_for(frame, "n = 1", "long").withColumn("unit", f.lit(None).cast("string")),
        kept_for(frame, "n % 3 = 0 and n % 2 = 0", "long"),  # said twice, and the same
    ]
    for more in noise:
        kept = kept.unionByName(more)
    assigned = allotment.spark.assign(frame, ENGINE, KEYS, kept=kept)
    table = assigned.toArrow().sort_by("n")
    assert table["n"].to_pylist() == list(range(ROWS))
    stored = ["long" if n % 3 == 0 else None for n in range(ROWS)]
    welcome = ENGINE.assign_many("welcome", table["user_id"], stored=stored)
    assert table["welcome"].to_pylist() == welcome.names()
    assert table["welcome.reason"].to_pylist() == [
        "STICKY" if each else "ALLOCATED" for each in stored
    ]
    checkout = ENGINE.assign_many("checkout", table["user_id"])
    assert table["checkout"].to_pylist() == checkout.names()
    assert assigned.columns == [
        "n", "user_id", "checkout", "checkout.reason", "welcome", "welcome.reason", "revision",
    ]  # fmt: skip


def test_the_frame_of_kept_assignments_may_come_of_the_same_frame(spark: SparkSession) -> None:
    """What one run gave is kept for the next: the assignments of a week ago, and a new weight."""
    frame = users(spark)
    first = allotment.spark.assign(frame, ENGINE, ["welcome"])
    kept = first.where("n < 10000").selectExpr(
        "'welcome' experiment", "1L iteration", "user_id unit", "welcome treatment"
    )
    again = allotment.spark.assign(frame, ENGINE, ["welcome"], kept=kept).orderBy("n").collect()
    assert [row.welcome for row in again] == [row.welcome for row in first.orderBy("n").collect()]
    assert [row["welcome.reason"] == "STICKY" for row in again] == [n < 10_000 for n in range(ROWS)]


@pytest.mark.parametrize(("of_frame", "of_kept"), [("bigint", "string"), ("string", "int")])
def test_whole_numbers_meet_their_text(spark: SparkSession, of_frame: str, of_kept: str) -> None:
    frame = spark.range(100).withColumn("user_id", f.col("id").cast(of_frame))
    kept = kept_for(frame, "id < 50", "long").withColumn("unit", f.col("unit").cast(of_kept))
    rows = allotment.spark.assign(frame, ENGINE, ["welcome"], kept=kept).collect()
    assert {row["welcome.reason"] == "STICKY": row.id < 50 for row in rows} == {
        True: True,
        False: False,
    }
    assert len(rows) == 100


def test_keys_that_differ_in_case_are_other_units_whatever_the_collation(
    spark: SparkSession,
) -> None:
    frame = spark.sql("select collate(col1, 'UTF8_LCASE') user_id from values ('Ann'), ('ann')")
    kept = spark.sql(
        "select 'welcome' experiment, 1 iteration, 'ANN' collate UTF8_LCASE as unit, 'long'"
        " treatment union all select 'welcome', 1, 'ann' collate UTF8_LCASE, 'long'"
    )
    rows = allotment.spark.assign(frame, ENGINE, ["welcome"], kept=kept).collect()
    assert {row.user_id: row["welcome.reason"] for row in rows} == {
        "Ann": "ALLOCATED",
        "ann": "STICKY",
    }


def test_two_treatments_of_one_unit_fail_the_job(spark: SparkSession) -> None:
    frame = users(spark)
    kept = kept_for(frame, "n < 100", "long").union(kept_for(frame, "n = 42", "control"))
    assigned = allotment.spark.assign(frame, ENGINE, KEYS, kept=kept)
    with pytest.raises(
        Exception, match="two treatments are kept in the experiment 'welcome' for the unit user-42"
    ):
        assigned.count()


WRONG: dict[str, tuple[list[str], Callable[[DataFrame], DataFrame], str]] = {
    "no experiment keeps any": (
        ["checkout"],
        lambda kept: kept,
        "none of these experiments keeps any: leave out `kept`",
    ),
    "a missing column": (
        KEYS,
        lambda kept: kept.drop("iteration"),
        "no column 'iteration' for kept assignments; its columns are: experiment, unit, treatment",
    ),
    "an iteration that is text": (
        KEYS,
        lambda kept: kept.withColumn("iteration", f.lit("1")),
        "the column 'iteration' of the kept assignments is string, and not a whole number: cast it",
    ),
    "a unit that is a fraction": (
        KEYS,
        lambda kept: kept.withColumn("unit", f.lit(0.5)),
        "the column 'unit' of the kept assignments is double, and not text or a whole number",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused_before_a_job(spark: SparkSession, name: str) -> None:
    keys, wrong, said = WRONG[name]
    kept = wrong(kept_for(users(spark), "n = 1", "long"))
    with pytest.raises(allotment.errors.InvalidInput) as refused:
        allotment.spark.assign(users(spark), ENGINE, keys, kept=kept)
    assert said in str(refused.value)
