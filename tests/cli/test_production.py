"""What docs/production.md says is so: its tables, its snippets, its commands."""

from __future__ import annotations

import re
import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import allotment
from allotment.server.counters import ASSIGNMENT_EDGES
from allotment.server.settings import Settings
from allotment.store import StickyKey, Store
from postgres import Postgres, binary
from serving import serving

PAGE = (Path(__file__).parents[2] / "docs" / "production.md").read_text()
METRIC = re.compile(r"\ballotment_[a-z_]+")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


def default(setting: str) -> float:
    return Settings.model_fields[setting].default


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    cells = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in cells[2:]]


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the series of a running server, beside those of its process."""
    with serving(tmp_path_factory.mktemp("metrics")) as server, server.client() as client:
        text = client.get("/metrics").text
    found = re.findall(r"^# TYPE (\S+) (\w+)$", text, flags=re.MULTILINE)
    return {name for name, _ in found if name.startswith("allotment_")}


def test_the_settings_are_those_that_there_are(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    told = {name.strip("`"): default.strip("`") for name, default, _ in rows("Settings")}
    assert list(told) == list(Settings.model_fields)
    for one in Settings().sources():
        if one.origin != "default":
            continue  # somebody sets it here
        value = "" if one.value is None else str(one.value)
        assert told[one.name] in (value, value.lower(), value.removesuffix(".0")), one.name


def test_the_metrics_are_those_that_there_are(metrics: set[str]) -> None:
    told = {name for names, _ in rows("Metrics and alerts") for name in METRIC.findall(names)}
    assert told == metrics


def test_alerts_are_on_metrics_that_there_are(metrics: set[str]) -> None:
    (group,) = [block for block in blocks("yaml") if block.startswith("groups:")]
    (alerts,) = YAML(typ="safe").load(group)["groups"]
    for alert in alerts["rules"]:
        asked = {re.sub("_(bucket|count|sum)$", "", name) for name in METRIC.findall(alert["expr"])}
        assert asked <= metrics, alert["alert"]


def test_queries_are_of_metrics_that_there_are(metrics: set[str]) -> None:
    (queries,) = blocks("promql")
    asked = set(METRIC.findall(queries))
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in asked} <= metrics
    assert 'le="0.005"' in queries, "it has to be an edge"
    assert 0.005 in ASSIGNMENT_EDGES


def shell(line: str, folder: Path, **names: str) -> None:
    for name, value in names.items():
        line = line.replace(name, value)
    subprocess.run(["sh", "-ec", line], cwd=folder, check=True, capture_output=True)


def lines_of(word: str, language: str = "sh") -> str:
    """The one line of the snippets that holds a word."""
    (line,) = [one for block in blocks(language) for one in block.splitlines() if word in one]
    return line


def test_a_sqlite_store_comes_back_from_a_copy_made_while_it_is_served(
    invoke, tmp_path: Path, catalog: Path
) -> None:
    with serving(tmp_path, catalog=catalog) as server:
        with Store.open(tmp_path / "allotment.db") as store:
            sticky_key = StickyKey("banner", 1, "ann")
            store.keep({sticky_key: "green"}, revision=1, when=datetime.now(UTC))
            invoke(*shlex.split(lines_of("allotment backup"))[1:])
            store.keep({StickyKey("banner", 1, "bo"): "green"}, revision=1, when=datetime.now(UTC))
        before = allotment.load(tmp_path / "allotment.db").catalog
        catalog.write_text("allotment: 1")
        invoke("apply", catalog, "--yes", "--server", server.url)
        server.stop()
    assert (tmp_path / "allotment.db.lastgood").exists()
    shell(lines_of("rm -f allotment.db"), tmp_path)
    shell(lines_of("cp backup.db"), tmp_path)
    assert not (tmp_path / "allotment.db.lastgood").exists()
    with serving(tmp_path) as again:
        assert "banner" in invoke("export", "--server", again.url).stdout
    assert allotment.load(tmp_path / "allotment.db").catalog == before
    with Store.open(tmp_path / "allotment.db") as store:
        assert list(store.sticky([sticky_key, StickyKey("banner", 1, "bo")])) == [sticky_key]


def test_a_postgresql_store_comes_back_from_a_dump(
    invoke, tmp_path: Path, catalog: Path, postgres: Postgres
) -> None:
    old, new = postgres.fresh(), postgres.fresh()
    invoke("apply", catalog, "--store", old)
    example = "postgresql://allotment@db.example.com/allotment"
    for line, url in ((lines_of("pg_dump"), old), (lines_of("pg_restore"), new)):
        program = line.split()[0]
        address = url.replace("+psycopg", "")
        shell(line, tmp_path, **{program: binary(program), example: address})
    assert allotment.load(new).catalog == allotment.load(old).catalog
    assert invoke("plan", catalog, "--store", new).stdout == "nothing would change\n"


def test_the_unit_of_systemd_leaves_time_to_stop() -> None:
    (unit,) = blocks("ini")
    given = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line)
    assert int(given["TimeoutStopSec"]) > default("drain_seconds") + default("stop_seconds")
    assert given["ExecStart"].endswith("allotment serve")
