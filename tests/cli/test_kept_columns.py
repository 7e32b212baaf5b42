"""Columns of the input in the output of `assign`, and the units that a plan would move."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

import allotment

ROWS = 10_000


def rows_of(path: Path) -> list[dict[str, object]]:
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".csv":
        return pc.read_csv(path).to_pylist()
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("form", ["parquet", "csv", "ndjson"])
def test_columns_are_kept_beside_the_treatments(
    invoke, catalog: Path, tmp_path: Path, form: str
) -> None:
    table = pa.table({"n": [1, 2], "id": ["a", "b"], "country": ["SE", None], "x.y": ["p", "q"]})
    source = tmp_path / f"in.{form}"
    if form == "parquet":
        pq.write_table(table, source)
    elif form == "csv":
        pc.write_csv(table, source)
    else:
        source.write_text("\n".join(map(json.dumps, table.to_pylist())) + "\n")
    asked = ("--catalog", catalog, "--unit-column", "id", "--keep", "country,n,id,x.y")
    invoke("assign", source, "out.parquet", *asked)
    kept = pq.read_table("out.parquet")
    assert kept.column_names == ["id", "country", "n", "x.y", "banner", "banner.reason"]
    assert kept["n"].to_pylist() == ([1, 2] if form == "parquet" else ["1", "2"])
    assert kept.select(["id", "country", "x.y"]).to_pylist() == [
        {"id": "a", "country": "SE", "x.y": "p"},
        {"id": "b", "country": None, "x.y": "q"},
    ]
    refused = invoke("assign", source, "no.csv", *asked[:-1], "nothing", code=1).stderr
    assert "'nothing'" in refused
    assert not Path("no.csv").exists()
    clash = invoke("assign", source, "no.csv", *asked[:-1], "banner", code=1).stderr
    assert "banner" in clash


def test_a_kept_column_of_parquet_has_its_own_type(invoke, catalog: Path, tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": ["a", "b"],
            "when": pa.array([1, 2], pa.timestamp("us")),
            "bytes": pa.array([b"\xff", None], pa.binary()),
            "list": [[1], []],
            "coded": pa.array(["x", "x"]).dictionary_encode(),
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    asked = ("--catalog", catalog, "--unit-column", "id", "--keep", "when,bytes,list,coded")
    invoke("assign", "in.parquet", "out.parquet", *asked)
    assert pq.read_table("out.parquet").select(table.column_names) == table


@pytest.mark.parametrize("form", ["parquet", "csv", "ndjson"])
def test_a_plan_writes_which_units_would_move(
    invoke, catalog: Path, units: Path, tmp_path: Path, form: str
) -> None:
    invoke("apply", catalog)
    before = allotment.load(catalog)
    catalog.write_text(
        catalog.read_text().replace("control: 50, green: 50", "control: 30, green: 70")
    )
    out = tmp_path / f"moved.{form}"
    asked = ("plan", catalog, "--units", units, "--unit-column", "id")
    counted = json.loads(invoke(*asked, "--json", "--moved", out).stdout)["units"]["banner"]
    # The engine from the file lays its slots afresh, so the answers after are the store's.
    invoke("apply", catalog)
    after = allotment.load(tmp_path / "allotment.db")
    expected = []
    for number in range(ROWS):
        unit, attributes = f"user-{number}", {"country": "SE" if number % 2 == 0 else "DE"}
        had, has = (e.assign("banner", unit, attributes).treatment for e in (before, after))
        if had != has:
            expected.append({"experiment": "banner", "unit": unit, "from": had, "to": has})
    assert len(expected) == counted["moved"] > 0
    assert rows_of(out) == expected
    assert json.loads(invoke(*asked, "--json", "--moved", out).stdout)["units"] == {}
    assert rows_of(out) == [], "nothing would change now"
    assert "--units" in invoke("plan", catalog, "--moved", out, code=64).stderr
