"""`allotment.spark` on a real session: every row is the kernel's, whatever happens to its task."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyspark import TaskContext
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

import allotment
import allotment.spark
from allotment.errors import InvalidInput
from allotment.model.assignment import REASONS
from docs.blocks import HOUSE, blocks
from sparkcatalog import KEYS, engine_at

# `mapInArrow` has no pandas in it, but it asks for the version.
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")

ENGINE = engine_at(7)
ROWS = 200_000
REASON_NAMES = pa.array([reason.value for reason in REASONS])


def units(spark: SparkSession, rows: int, partitions: int = 8) -> DataFrame:
    """Users with all that the catalog's conditions look at; one in a hundred is no unit."""
    n = f.col("id")
    plan = f.when(n % 3 == 0, f.lit("pro")).when(n % 3 == 1, f.lit("free"))
    return spark.range(0, rows, 1, partitions).select(
        f.when(n % 200 == 0, None).when(n % 200 == 1, "").otherwise(f.concat(f.lit("user-"), n))
        .alias("user_id"),
        f.element_at(f.array(*map(f.lit, ("SE", "NO", "DE", "FR"))), (n % 4 + 1).cast("int"))
        .alias("country"),
        (n % 60 + 10).alias("age"),
        f.when(n % 7 != 0, f.struct(plan.alias("plan"))).alias("account"),
        n.alias("n"),
    )  # fmt: skip


def is_what_the_kernel_says(table: pa.Table, unit: str = "user_id") -> bool:
    """Whether the treatments and reasons of a table's rows are those of the kernel."""
    table = table.combine_chunks()
    for key in KEYS:
        column = ENGINE.assign_many(key, table[unit], table)
        treatments, reasons = table[key].chunk(0), table[f"{key}.reason"].chunk(0)
        if not treatments.equals(column.to_arrow().dictionary_decode()):
            return False
        if not reasons.equals(REASON_NAMES.take(pa.array(column.reasons))):
            return False
    return True


def check(assigned: DataFrame, rows: int, unit: str = "user_id") -> pa.Table:
    """Every row is what the kernel says of it; gives the rows in the order of `n`."""
    table = assigned.toArrow().sort_by("n")
    assert np.array_equal(table["n"].to_numpy(), np.arange(rows))
    assert is_what_the_kernel_says(table, unit)
    return table


def test_every_row_is_what_the_kernel_says(spark: SparkSession) -> None:
    """Two experiments in one layer, one with a holdout and attributes in a struct, one more."""
    assigned = allotment.spark.assign(units(spark, ROWS), ENGINE, KEYS)
    new = [name for key in KEYS for name in (key, f"{key}.reason")]
    assert assigned.columns == ["user_id", "country", "age", "account", "n", *new, "revision"]
    table = check(assigned, ROWS)
    assert set(table["revision"].to_pylist()) == {7}
    both = pc.and_(pc.is_valid(table["checkout"]), pc.is_valid(table["search"]))
    assert pc.sum(both).as_py() == 0, "a layer gives a unit to one experiment"
    for key in KEYS:
        reasons = set(table[f"{key}.reason"].to_pylist())
        assert {"NO_UNIT", "ALLOCATED"} <= reasons, "the rows show more than one outcome"
    assert pc.sum(pc.equal(table["checkout.reason"], "NO_UNIT")).as_py() == ROWS // 100


def test_nothing_runs_before_rows_are_asked_for(spark: SparkSession) -> None:
    context = spark.sparkContext
    before = context.statusTracker().getJobIdsForGroup(None)
    assigned = allotment.spark.assign(units(spark, 1_000), ENGINE, KEYS)
    assert [*context.statusTracker().getJobIdsForGroup(None)] == [*before]
    assert assigned.where(f.col("checkout").isNotNull()).count() > 0


@pytest.mark.parametrize("side", ["before", "behind"])
def test_a_task_that_fails_and_runs_again_gives_the_same(
    spark: SparkSession, tmp_path: Path, side: str
) -> None:
    """Each task fails once, after some batches: in what it reads, or in what takes its rows."""

    def fails_once(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        context = TaskContext.get()
        assert context is not None
        for number, batch in enumerate(batches):
            if number == 3 and context.attemptNumber() == 0:
                (tmp_path / str(context.partitionId())).touch()
                raise OSError("the disk is gone")
            yield batch

    rows = 40_000
    frame = units(spark, rows, partitions=4)
    if side == "before":
        frame = frame.mapInArrow(fails_once, frame.schema)
        assigned = allotment.spark.assign(frame, ENGINE, KEYS)
    else:
        assigned = allotment.spark.assign(frame, ENGINE, KEYS)
        names = [f"c{number}" for number in range(len(assigned.columns))]
        assigned = assigned.toDF(*names).mapInArrow(fails_once, assigned.schema)
    check(assigned, rows)
    assert sorted(os.listdir(tmp_path)) == ["0", "1", "2", "3"]


def test_a_worker_compiles_the_catalog_once(spark: SparkSession) -> None:
    """Not once a batch, and not once a task: 16 tasks of 4 batches, in a few workers."""
    engine = engine_at(8)  # which no other test has sent

    def compiled(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from allotment.spark.worker import engine_of

        for batch in batches:
            found = engine_of.cache_info()
            row = [[os.getpid()], [found.hits], [found.misses]]
            yield pa.RecordBatch.from_arrays([*map(pa.array, row)], ["pid", "hits", "misses"])
            del batch

    def counts() -> dict[int, tuple[int, int]]:
        probe = spark.range(0, 16, 1, 16).mapInArrow(compiled, "pid long, hits long, misses long")
        return {row.pid: (row.hits, row.misses) for row in probe.collect()}

    before = counts()
    allotment.spark.assign(units(spark, 64_000, 16), engine, KEYS).count()
    after = counts()
    fresh = {
        pid: (hits - before.get(pid, (0, 0))[0], misses - before.get(pid, (0, 0))[1])
        for pid, (hits, misses) in after.items()
    }
    assert sum(hits + misses for hits, misses in fresh.values()) == 16
    assert {misses for _, misses in fresh.values()} == {1}
    assert len(fresh) <= 8


@pytest.mark.parametrize("kind", ["string", "binary", "bigint", "int", "smallint"])
def test_whole_numbers_and_their_text_are_the_same_units(spark: SparkSession, kind: str) -> None:
    frame = spark.range(-500, 500).withColumn("user_id", f.col("id").cast("string"))
    one = allotment.spark.assign(frame, ENGINE, ["checkout", "welcome"])
    asked = spark.range(-500, 500).withColumn("user_id", _cast(f.col("id"), kind))
    other = allotment.spark.assign(asked, ENGINE, ["checkout", "welcome"])
    assert other.schema["user_id"].dataType.simpleString() == kind
    left, right = ({row.id: row[2:] for row in each.collect()} for each in (one, other))
    assert left == right
    assert {ENGINE.assign("checkout", n).treatment for n in left} == {"control", "green", None}
    assert all(ENGINE.assign("checkout", n).treatment == row[0] for n, row in left.items())


def _cast(column: Any, kind: str) -> Any:
    return column.cast("string").cast("binary") if kind == "binary" else column.cast(kind)


def test_what_is_no_unit_has_its_reason_and_fails_alone(spark: SparkSession) -> None:
    keys = [None, "", "x" * 1_024, "x" * 1_025, "ü" * 512, "ü" * 513, "user-1"]
    given = [None if key is None else key.encode() for key in keys] + [b"\xff\xfe", b"user-1"]
    frame = spark.createDataFrame([*enumerate(given)], "n int, user_id binary")
    rows = allotment.spark.assign(frame, ENGINE, ["welcome"]).orderBy("n").collect()
    none = [row.n for row in rows if row["welcome.reason"] == "NO_UNIT"]
    assert none == [0, 1, 3, 5, 7]
    assert all((row.welcome is None) == (row.n in none) for row in rows)
    assert rows[6].welcome == rows[8].welcome == ENGINE.assign("welcome", "user-1").treatment


def test_units_and_attributes_may_be_fields_of_structs(spark: SparkSession) -> None:
    plain = units(spark, 2_000)
    nested = plain.select(
        f.struct("user_id", f.struct(f.col("country").alias("cc")).alias("geo")).alias("who"),
        f.col("age").alias("years"),
        "account",
        "n",
    )
    attributes = {"country": "who.geo.cc", "age": "years"}
    assigned = allotment.spark.assign(nested, ENGINE, KEYS, "who.user_id", attributes=attributes)
    assert assigned.columns[:4] == ["who", "years", "account", "n"]
    flat = assigned.select("*", "who.user_id", "who.geo.cc", f.col("years").alias("age"))
    check(flat.withColumnRenamed("cc", "country"), 2_000)


def test_an_attribute_that_no_unit_has_is_said_so(spark: SparkSession) -> None:
    frame = units(spark, 1_000).drop("age")
    assigned = allotment.spark.assign(frame, ENGINE, KEYS, attributes={"age": None})
    table = check(assigned, 1_000)
    assert "ALLOCATED" not in table["search.reason"].to_pylist()


def test_the_frames_own_columns_come_through_as_they_are(spark: SparkSession) -> None:
    """Names with dots and blanks, a name that stands twice, and every type that Arrow has."""
    frame = spark.sql(
        "select 'u' user_id, 1 as `a.b`, 2 as `c d`, 3 as twice, 4 as twice, 1.5 as dec,"
        " date'2026-01-02' as d, timestamp'2026-01-02 03:04:05' as ts, array(1, null) as list,"
        " timestamp_ntz'2026-01-02 03:04:05' as ntz, map('k', 1) as map, cast('z' as binary) as b,"
        " struct('x' as `p.q`, array(struct(1 as i)) as deep) as s, true as t, null as nothing,"
        " interval '1' day as day, cast('x' as string collate UTF8_LCASE) as lower"
    )
    assigned = allotment.spark.assign(frame, ENGINE, ["welcome"])
    width = len(frame.columns)
    assert assigned.schema.fields[:width] == frame.schema.fields
    (row,), (own,) = assigned.collect(), frame.collect()
    assert tuple(row)[:width] == tuple(own)
    again = assigned.drop("revision").withColumnRenamed("welcome", "before")
    again = again.withColumnRenamed("welcome.reason", "reason.before")
    assert allotment.spark.assign(again, ENGINE, ["welcome"]).collect()[0].welcome == row.welcome


def test_units_of_several_kinds_have_a_column_each(spark: SparkSession) -> None:
    text = """
allotment: 1
experiments:
  seats:
    state: running
    unit: account
    treatments: {a: {}, b: {}}
    allocations: [{weights: {a: 50, b: 50}}]
  menu:
    state: running
    treatments: {a: {}, b: {}}
    allocations: [{weights: {a: 50, b: 50}}]
"""
    engine = allotment.load(text)
    frame = spark.range(1_000).selectExpr("id as user_id", "id div 10 as team")
    columns = {"user": "user_id", "account": "team"}
    for row in allotment.spark.assign(frame, engine, unit=columns).collect():
        assert row.seats == engine.assign("seats", {"account": row.team}).treatment
        assert row.menu == engine.assign("menu", {"user": row.user_id}).treatment
    with pytest.raises(InvalidInput, match="kinds account, user: say which column holds each"):
        allotment.spark.assign(frame, engine)
    with pytest.raises(InvalidInput, match="no column of the kind 'account'"):
        allotment.spark.assign(frame, engine, unit={"user": "user_id", "acount": "team"})


def test_what_an_engine_answered_when_it_was_given_is_pinned(spark: SparkSession) -> None:
    engine = engine_at(7)
    assigned = allotment.spark.assign(units(spark, 100), engine, ["checkout"])
    for given in (engine.snapshot, engine.catalog):
        same = allotment.spark.assign(units(spark, 100), given, ["checkout"])
        assert same.collect() == assigned.collect()
    engine.publish(engine_at(9).snapshot)
    assert {row.revision for row in assigned.collect()} == {7}
    later = allotment.spark.assign(units(spark, 100), engine, ["checkout"])
    assert {row.revision for row in later.collect()} == {9}


def test_a_stream_of_files_is_assigned_as_it_comes(spark: SparkSession, tmp_path: Path) -> None:
    source = units(spark, 1_000, 2)
    source.write.parquet(str(tmp_path / "in"))
    stream = spark.readStream.schema(source.schema).parquet(str(tmp_path / "in"))
    writer = allotment.spark.assign(stream, ENGINE, KEYS).writeStream.trigger(availableNow=True)
    writer = writer.option("checkpointLocation", str(tmp_path / "marks"))
    writer.start(str(tmp_path / "out"), format="parquet").awaitTermination()
    check(spark.read.parquet(str(tmp_path / "out")), 1_000)


WRONG: dict[str, tuple[Callable[[DataFrame], object], str]] = {
    "no engine": (
        lambda df: allotment.spark.assign(df, b"...", KEYS),  # type: ignore[arg-type]
        "Spark is given an Engine, its snapshot or a Catalog, not bytes: allotment.load",
    ),
    "an unknown experiment": (
        lambda df: allotment.spark.assign(df, ENGINE, ["chekout"]),
        "no experiment 'chekout' in the catalog; do you mean 'checkout'?",
    ),
    "one text": (
        lambda df: allotment.spark.assign(df, ENGINE, "checkout"),
        "experiments are a list of keys, not one text",
    ),
    "no experiment": (lambda df: allotment.spark.assign(df, ENGINE, []), "name one"),
    "a missing unit column": (
        lambda df: allotment.spark.assign(df, ENGINE, KEYS, "userid"),
        "no column 'userid' for units of the kind user, as `unit` says; do you mean 'user_id'?",
    ),
    "a missing field of nothing": (
        lambda df: allotment.spark.assign(df, ENGINE, KEYS, "user_id.text"),
        "do you mean 'user_id'?; its columns are: user_id, country, age, account, n",
    ),
    "a missing field": (
        lambda df: allotment.spark.assign(df, ENGINE, KEYS, "account.id"),
        "no column 'account.id'",
    ),
    "a missing attribute": (
        lambda df: allotment.spark.assign(df.drop("country"), ENGINE, KEYS),
        "no column 'country' for the attribute 'country': name its column by attributes=",
    ),
    "a unit of a wrong type": (
        lambda df: allotment.spark.assign(df, ENGINE, KEYS, "account"),
        "the column 'account' is a struct: name a field of it, such as account.plan",
    ),
    "a fraction for a unit": (
        lambda df: allotment.spark.assign(df.withColumn("n", f.lit(0.5)), ENGINE, KEYS, "n"),
        "units are text or whole numbers, and this column is neither: CAST it",
    ),
    "an attribute of a type that is not read": (
        lambda df: allotment.spark.assign(
            df.withColumn("country", f.create_map(f.lit("a"), f.lit(1))), ENGINE, KEYS
        ),
        "a map",
    ),
    "a name that is taken": (
        lambda df: allotment.spark.assign(df.withColumn("Revision", f.lit(1)), ENGINE, KEYS),
        "two columns 'revision': rename the frame's, as in df.withColumnRenamed('Revision'",
    ),
    "a unit column twice": (
        lambda df: allotment.spark.assign(df.select("*", "user_id"), ENGINE, KEYS),
        "the frame has 2 columns 'user_id': rename one",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_assigned_is_refused_before_a_job(spark: SparkSession, name: str) -> None:
    wrong, said = WRONG[name]
    jobs = [*spark.sparkContext.statusTracker().getJobIdsForGroup(None)]
    with pytest.raises(allotment.AllotmentError) as refused:
        wrong(units(spark, 10))
    assert said in str(refused.value)
    assert [*spark.sparkContext.statusTracker().getJobIdsForGroup(None)] == jobs


def test_a_type_that_never_matches_is_warned_of_at_the_callers_line(spark: SparkSession) -> None:
    frame = units(spark, 10).withColumn("age", f.col("age").cast("string"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        allotment.spark.assign(frame, ENGINE, KEYS)
    (found,) = [each for each in caught if each.category is allotment.NeverMatches]
    assert "age at_least" in str(found.message)
    assert found.filename == __file__


def test_a_worker_of_another_release_refuses(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allotment, "__version__", "0.0.0")
    assigned = allotment.spark.assign(units(spark, 10), ENGINE, KEYS)
    with pytest.raises(Exception, match=r"the driver has allotment 0\.0\.0 and this worker"):
        assigned.collect()


def test_the_code_of_the_page_runs(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Block by block, each after the one before."""
    monkeypatch.chdir(HOUSE)
    names: dict[str, Any] = {"__name__": "page"}
    page = [block for block in blocks() if block.page == "docs/spark.md"]
    for block in page:
        exec(compile(block.text, block.page, "exec"), names)
    assert len(page) == 2
    new, kept = names["new"], names["kept"]
    assert new.columns == kept.columns
    assert new.count() == 1_000_000 - kept.count()


@pytest.mark.soak
def test_twenty_million_rows_are_what_the_kernel_says(spark: SparkSession, tmp_path: Path) -> None:
    rows, target = 20_000_000, tmp_path / "assigned"
    allotment.spark.assign(units(spark, rows, 64), ENGINE, KEYS).write.parquet(str(target))
    seen = np.zeros(rows, bool)
    for file in sorted(target.glob("*.parquet")):
        table = pq.read_table(file)
        seen[table["n"].to_numpy()] = True
        assert set(table["revision"].unique().to_pylist()) == {7}
        assert is_what_the_kernel_says(table)
    assert seen.all()
