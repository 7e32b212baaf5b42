"""`allotment assign --source`: the table that an analysis reads, the same as exposures are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

import allotment
from allotment.exposures import COLUMNS, Exposure
from allotment.exposures.parquet import source_schema

ASKED = ("--unit-column", "id", "--source")


def test_a_row_is_what_an_exposure_of_the_unit_is(
    invoke, catalog: Path, units: Path, tmp_path: Path
) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    invoke("assign", units, "out.parquet", "--catalog", catalog, *ASKED)
    table = pq.read_table("out.parquet")
    assert table.schema.equals(source_schema())
    (time,) = set(table["time"].to_pylist())
    assert before <= time <= datetime.now(UTC)
    engine = allotment.load(catalog)
    at = round(time.timestamp() * 1000)
    given = pq.read_table(units).slice(0, 500).to_pylist()
    expected = []
    for row in given:
        known = {"country": row["country"]}
        answer = engine.assign("banner", row["id"], known)
        allocation = engine.allocation_of(answer, row["id"], known)
        expected.append(Exposure.of(at, None, "user", row["id"], answer, allocation).row())
    assert table.slice(0, 500).to_pylist() == expected
    assert {row["reason"] for row in expected} == {"ALLOCATED", "FALLBACK", "OVERRIDE"}


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_time_is_text_where_the_form_has_no_times(
    invoke, catalog: Path, tmp_path: Path, form: str
) -> None:
    pq.write_table(pa.table({"id": [7, None, 9], "country": ["SE"] * 3}), "in.parquet")
    invoke("assign", "in.parquet", f"out.{form}", "--catalog", catalog, *ASKED)
    path = tmp_path / f"out.{form}"
    text = pc.ConvertOptions(column_types={"time": pa.string(), "unit": pa.string()})
    rows = (
        pc.read_csv(path, convert_options=text).to_pylist()
        if form == "csv"
        else [json.loads(line) for line in path.read_text().splitlines()]
    )
    assert [row["unit"] for row in rows] == ["7", "9"]
    assert list(rows[0]) == list(COLUMNS)
    datetime.strptime(rows[0]["time"], "%Y-%m-%dT%H:%M:%S.%fZ")


def test_the_sample_ratio_check_reads_it(invoke, catalog: Path, units: Path) -> None:
    invoke("assign", units, "out.parquet", "--catalog", catalog, *ASKED)
    answer = invoke("srm", "out.parquet", "--catalog", catalog, "--json")
    checks = json.loads(answer.stdout)["checks"]
    assert len(checks) == 2
    assert {check["verdict"] for check in checks} == {"expected"}


def test_columns_to_keep_have_no_place_in_it(invoke, catalog: Path, units: Path) -> None:
    asked = ("assign", units, "out.parquet", "--catalog", catalog, *ASKED, "--keep", "country")
    assert "leave out --keep" in invoke(*asked, code=1).output
