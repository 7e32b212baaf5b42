"""`allotment sql`: the statement on standard output, and the table of lists as a file."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import sqlglot

from cli.conftest import Run

ASKED = ("--dialect", "clickhouse", "--table", "units", "--unit-column", "id")


def test_the_statement_is_the_output(run: Run, catalog: Path) -> None:
    done = run("sql", "banner", "--catalog", catalog, *ASKED, "--keep", "country")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    read = sqlglot.parse_one(done.stdout, read="clickhouse")
    assert read.named_selects == ["id", "country", "treatment", "reason", "revision"]
    assert "'user-7'" in done.stdout


def test_lists_go_to_a_table_that_is_written(run: Run, catalog: Path, tmp_path: Path) -> None:
    file = tmp_path / "lists.parquet"
    done = run(
        *("sql", "banner", "--catalog", catalog, *ASKED),
        *("--lists", "shop.lists", "--write-lists", file),
    )
    assert done.returncode == 0, done.stderr
    assert "user-7" not in done.stdout
    assert done.stderr.splitlines() == [
        f"wrote 1 rows to {file}",
        "note: the statement joins shop.lists, with the columns list, unit and treatment, all text",
    ]
    row = {"list": "override/banner", "unit": "user-7", "treatment": "green"}
    assert pq.read_table(file).to_pylist() == [row]


def test_json_has_the_statement(run: Run, catalog: Path) -> None:
    done = run("sql", "banner", "--catalog", catalog, *ASKED, "--column", "country=", "--json")
    plain = json.loads(done.stdout)
    assert plain["lists"] is None
    assert "country" not in plain["sql"]


def test_a_refusal_names_what_is_wrong(run: Run, catalog: Path) -> None:
    asked = ("sql", "banner", "--catalog", catalog, *ASKED)
    cannot = "cannot compute the treatment draw"
    for options, said in (
        (("--column", "country=c:integer", "--dialect", "duckdb"), cannot),
        (("--column", "contry=c"), "do you mean 'country'"),
        (("--write-lists", "lists.csv"), "writes the table that --lists names"),
    ):
        done = run(*asked, *options)
        assert (done.returncode, done.stdout) == (1, ""), options
        assert said in done.stderr
    assert run(*asked, "--column", "country").returncode == 64
    assert run(*asked, *("--column", "country=a") * 2).returncode == 64
