"""`allotment assign` over folders, patterns, compressed files and standard input."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from allotment.load import load

COUNTRIES = ["SE", "DE", "NO", None]


@pytest.fixture
def keys() -> list[str]:
    return [f"user-{number}" for number in range(2_000)]


def expected(catalog: Path, keys: list[str]) -> dict[str, tuple[object, str]]:
    """What a single call gives each unit: its treatment and reason."""
    engine = load(catalog)
    answers = (
        engine.assign("banner", key, {"country": COUNTRIES[n % 4]}) for n, key in enumerate(keys)
    )
    return {key: (a.treatment, a.reason) for key, a in zip(keys, answers, strict=True)}


def test_hive_partitions_are_assigned_by_their_keys_which_are_kept(
    invoke, catalog: Path, keys: list[str], tmp_path: Path
) -> None:
    for at, country in enumerate(COUNTRIES):
        folder = tmp_path / "users" / f"country={country or '__HIVE_DEFAULT_PARTITION__'}" / "day=1"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"id": keys[at::4]}), folder / "part-0.parquet")
    (tmp_path / "users" / "_SUCCESS").touch()
    answers = expected(catalog, keys)
    for given in ("users", "users/*/*/*.parquet", "users/**"):
        common = ("--catalog", catalog, "--unit-column", "id")
        result = invoke("assign", given, "out.parquet", *common)
        assert "has no column" not in result.output
        rows = pq.read_table("out.parquet").to_pylist()
        assert list(rows[0]) == ["id", "country", "day", "banner", "banner.reason"]
        assert {row["id"]: (row["banner"], row["banner.reason"]) for row in rows} == answers
        assert {row["id"]: row["country"] for row in rows} == {
            key: COUNTRIES[n % 4] for n, key in enumerate(keys)
        }
        assert {row["day"] for row in rows} == {"1"}


def test_compressed_text_and_standard_input_are_assigned_as_plain_files_are(
    run, invoke, catalog: Path, keys: list[str], tmp_path: Path
) -> None:
    rows = [(key, COUNTRIES[n % 4]) for n, key in enumerate(keys)]
    lines = "id,country\n" + "".join(f"{key},{country or ''}\n" for key, country in rows)
    objects = "".join(json.dumps({"id": key, "country": country}) + "\n" for key, country in rows)
    Path("units.csv.gz").write_bytes(gzip.compress(lines.encode()))
    Path("units.ndjson.zst").write_bytes(pa.compress(objects.encode(), "zstd", asbytes=True))
    common = ("--catalog", str(catalog), "--unit-column", "id", "--no-summary")
    answers = expected(catalog, keys)
    for given, piped, more in (
        ("units.csv.gz", "", ()),
        ("units.ndjson.zst", "", ()),
        ("-", objects, ()),
        ("-", lines, ("--input-format", "csv")),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "allotment.cli.app", "assign", given, "-", *common, *more],
            input=piped, capture_output=True, text=True, check=True,
        )  # fmt: skip
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert {row["id"]: (row["banner"], row["banner.reason"]) for row in found} == answers
        assert done.stderr == ""


def test_what_cannot_be_read_together_is_refused_and_nothing_is_written(
    invoke, catalog: Path, tmp_path: Path
) -> None:
    common = ("--catalog", catalog, "--unit-column", "id")
    Path("in").mkdir()
    Path("in/a.csv").write_text("id,country\na,SE\n")
    Path("in/b.csv").write_text("id\nb\n")
    before = sorted(tmp_path.rglob("*"))
    for given, output, said in (
        ("in", "out.csv", "in/a.csv has a column 'country', and in/b.csv has none"),
        ("none/*.csv", "out.csv", "no file matches none/*.csv"),
        ("in/a.csv", "in/a.csv", "the result would overwrite in/a.csv, which it is read from"),
        ("in", "in/out.csv", "the result in/out.csv would lie among in"),
        ("in/*.csv", "in/c.csv", "the result in/c.csv would lie among in/*.csv"),
    ):
        assert said in " ".join(invoke("assign", given, output, *common, code=1).output.split())
    assert sorted(tmp_path.rglob("*")) == before


def test_a_plan_counts_the_units_of_a_folder(invoke, catalog: Path) -> None:
    for number in range(4):
        folder = Path("units") / f"country={'SE' if number % 2 else 'DE'}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.csv").write_text("id\n" + f"{number}-a\n{number}-b\n" * 100)
    invoke("apply", catalog, "--yes")
    catalog.write_text(catalog.read_text().replace("control: 50, green: 50", "green: 100"))
    asked = ("plan", catalog, "--unit-column", "id", "--json", "--moved", "moved.csv")
    answer = json.loads(invoke(*asked, "--units", "units").stdout)
    assert answer["units"]["banner"]["units"] == 800
    refused = invoke("plan", catalog, "--unit-column", "id", "--units", "u*/*/*.csv",
                     "--moved", "units/country=SE/moved.csv", code=1)  # fmt: skip
    assert "would lie among" in " ".join(refused.output.split())
