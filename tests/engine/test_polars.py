"""Expressions of Polars answer what a single call answers, and stream."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import allotment
import nouns
from allotment.change.commands import SetWeights
from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.errors import NotFound
from allotment.model.assignment import REASONS
from allotment.polars import assign, assign_detail

SHOP_FILE = Path(__file__).parents[1] / "support/shop.yaml"
SHOP = allotment.load(SHOP_FILE)
ROWS = 3_000
USERS = pl.DataFrame(
    {
        "id": [None if n % 100 == 0 else f"user-{n}" for n in range(ROWS)],
        "country": [["SE", "DE", None][n % 3] for n in range(ROWS)],
        "app": [{"version": f"{n % 4}.0.0"} if n % 5 else None for n in range(ROWS)],
    }
)


def test_every_row_gets_what_a_single_call_gives() -> None:
    found = USERS.with_columns(
        assign("id", engine=SHOP, experiment="checkout", attributes={"country": "country"}),
        assign_detail(
            pl.col("id"), engine=SHOP, experiment="by-device", attributes={"app": pl.col("app")}
        ),
    )
    assert found.columns == ["id", "country", "app", "checkout", "by-device"]
    assert found.schema["checkout"] == pl.Categorical()
    reasons = set()
    for row in found.iter_rows(named=True):
        single = SHOP.assign("checkout", row["id"], {"country": row["country"]})
        assert row["checkout"] == single.treatment
        single = SHOP.assign("by-device", row["id"], {"app": row["app"]})
        assert row["by-device"] == {
            "treatment": single.treatment, "reason": single.reason, "revision": single.revision
        }  # fmt: skip
        reasons.add(row["by-device"]["reason"])
    assert reasons == {"ALLOCATED", "NOT_IN_AUDIENCE", "NO_UNIT"}


def test_the_schema_is_known_before_anything_runs() -> None:
    query = USERS.lazy().select(
        assign("id", engine=SHOP, experiment="plain"),
        assign_detail("id", engine=SHOP, experiment="plain").alias("detail"),
    )
    schema = query.collect_schema()
    assert schema == query.collect().schema
    assert schema["detail"] == pl.Struct(
        {
            "treatment": pl.Categorical(),
            "reason": pl.Enum([reason.value for reason in REASONS]),
            "revision": pl.Int64(),
        }
    )


@pytest.mark.parametrize(
    "units",
    [
        pl.Series([7, None, -7], dtype=pl.Int16),
        pl.Series(["7", None, "é"], dtype=pl.Categorical()),
        pl.Series([b"7", None, b"\xff"], dtype=pl.Binary()),
        pl.Series([None, None], dtype=pl.Null()),
        pl.Series([], dtype=pl.String()),
        pl.Series(["a", "b", "c", "d"])[1:3],
    ],
    ids=lambda units: str(units.dtype),
)
def test_units_of_any_type_are_the_same_units(units: pl.Series) -> None:
    [found] = pl.DataFrame({"u": units}).select(assign("u", engine=SHOP, experiment="plain"))
    keys = [each.decode(errors="ignore") if isinstance(each, bytes) else each for each in units]
    assert found.to_list() == [SHOP.assign("plain", key or "").treatment for key in keys]


def test_a_literal_stands_for_every_row() -> None:
    nordic = {"country": pl.lit("SE")}
    for users in (USERS, USERS.head(1), USERS.head(0)):
        [found] = users.select(assign("id", engine=SHOP, experiment="checkout", attributes=nordic))
        expected = [SHOP.assign("checkout", unit, {"country": "SE"}) for unit in users["id"]]
        assert found.to_list() == [each.treatment for each in expected]
    [found] = USERS.select(
        assign(pl.lit("u"), engine=SHOP, experiment="checkout", attributes={"country": "country"})
    )
    assert set(found) == {SHOP.assign("checkout", "u", {"country": "SE"}).treatment, None}
    assert len(found) == ROWS


def test_an_expression_answers_from_the_revision_that_it_was_made_of() -> None:
    before = nouns.catalog(nouns.experiment("checkout"))
    after = nouns.changed(before, SetWeights("checkout", "everyone", (("green", 100),), 100))
    engine = allotment.load(before)
    made = assign("id", engine=engine, experiment="checkout")
    engine.publish(compile_catalog(after))
    [then], [now] = (
        USERS.drop_nulls("id").select(each)
        for each in (made, assign("id", engine=engine, experiment="checkout"))
    )
    assert set(then) == {"control", "green"}
    assert set(now) == {"green"}


def test_an_unknown_experiment_is_refused_where_the_expression_is_made() -> None:
    with pytest.raises(NotFound, match="there is no experiment 'chekout'"):
        assign("id", engine=SHOP, experiment="chekout")


def test_a_filter_on_other_columns_is_done_first() -> None:
    made = assign("id", engine=SHOP, experiment="plain")
    plan = USERS.lazy().with_columns(made).filter(pl.col("country") == "SE").explain()
    assert plan.index("python_udf") < plan.index("FILTER")  # a plan is read from below


def test_it_is_called_with_parts_of_a_table_however_long_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    plain = Engine.assign_many

    def recorded(self: Engine, experiment: str, units: object, known: object = None) -> object:
        sizes.append(len(units))  # type: ignore[arg-type]
        return plain(self, experiment, units, known)

    monkeypatch.setattr(Engine, "assign_many", recorded)
    made = assign("id", engine=SHOP, experiment="plain")
    for rows in (300_000, 1_200_000):
        users = tmp_path / f"{rows}.parquet"
        pl.select(id=pl.int_range(rows).cast(pl.String)).write_parquet(users, row_group_size=50_000)
        sizes.clear()
        query = pl.scan_parquet(users).with_columns(made)
        query.sink_parquet(tmp_path / "out.parquet")
        assert sum(sizes) == rows
        assert max(sizes) <= 100_000
    counts = pl.scan_parquet(tmp_path / "out.parquet").group_by("plain").len().collect()
    assert dict(counts.iter_rows()) == {
        name: n
        for (name, _), n in SHOP.assign_many("plain", [*map(str, range(rows))]).counts().items()
    }


MEASURED = """
import sys
from pathlib import Path
import polars as pl
import allotment
from allotment.polars import assign
made = assign("id", engine=allotment.load(sys.argv[1]), experiment="plain")
pl.scan_parquet(sys.argv[2]).with_columns(made).sink_parquet(sys.argv[3])
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


@pytest.mark.memory
def test_memory_does_not_grow_with_the_number_of_rows(tmp_path: Path) -> None:
    resident = []
    for rows in (2_000_000, 12_000_000):
        users, out = tmp_path / f"{rows}.parquet", tmp_path / "out.parquet"
        made = pl.select(id=pl.int_range(rows).cast(pl.String), more=pl.int_range(rows).hash())
        made.write_parquet(users, row_group_size=100_000)
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, str(SHOP_FILE), str(users), str(out)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        resident.append(int(done.stdout) * 1024)
    few, many = resident
    table = 12_000_000 * (8 + 16 + 4)  # what the result would take in memory, its texts not counted
    assert many < few + table // 2, [each >> 20 for each in resident]
