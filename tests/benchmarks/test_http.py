"""The comparison of HTTP servers: its checks, its table, and the servers that need no other."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from benchmarks.http.__main__ import asked, main, prepared
from benchmarks.http.constant import ANSWER
from benchmarks.http.rows import REFERENCE, ROWS, assigned, constant, engine, evaluated, fault
from benchmarks.http.servers import SERVERS, versions, wanted
from benchmarks.http.table import Measured, cost, table
from benchmarks.load.questions import visitors
from benchmarks.load.servers import Server, raw
from benchmarks.load.wrk import Run


def given(treatment: str | None) -> bytes:
    return json.dumps({"assignments": {"exp_0": {"treatment": treatment}}}).encode()


def test_who_deals_otherwise_is_found() -> None:
    dealt = [
        engine().assign("exp_0", unit, {"country": country}).treatment
        for unit, country in visitors()
    ]
    assert {"control", "blue", "green", None} == set(dealt), "the units show every treatment"
    assert not any(assigned(place, given(each)) for place, each in enumerate(dealt))
    assert all(assigned(place, given("red")) for place in range(256))
    assert sum(bool(assigned(place, given("control"))) for place in range(256)) > 200
    assert constant(0, ANSWER) == ""
    assert constant(0, ANSWER[:-1]).startswith("it answered")


def test_a_flag_has_the_value_that_the_engine_gives() -> None:
    values = [
        engine().resolve("button", unit, {"country": country}).value for unit, country in visitors()
    ]
    assert {"#00f", "#0f0"} == set(values)
    said = [json.dumps({"value": value}).encode() for value in values]
    assert not any(evaluated(place, each) for place, each in enumerate(said))
    assert any(evaluated(place, said[0]) for place in range(256))


@pytest.mark.parametrize("name", ["raw", "fastapi", "allotment", "slow path"])
def test_a_server_passes_its_check(name: str) -> None:
    """In processes of their own; those of others run in `make bench-http`."""
    rows = [row for row in ROWS if row.server == name]
    with SERVERS[name]() as server:
        for row in rows:
            assert fault(server.url, row) == ""
        assert server.cpu > 0
        wrong = replace(rows[0], check=constant)
        assert fault(server.url, wrong).startswith("it answered b'{")


def test_the_processor_time_of_a_server_is_that_of_all_its_processes() -> None:
    """A shell that waits while its child works: the shell itself uses next to nothing."""
    work = (
        "python3 -c 'import time\nwhile time.process_time() < 0.5: pass\ntime.sleep(60)' & sleep 60"
    )
    shell = subprocess.Popen(["sh", "-c", work], start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while (used := Server("", shell).cpu) < 0.4 and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()
    assert 0.4 <= used < 5


def test_without_wrk_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["benchmarks.http"])
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    assert main() == 2
    assert capsys.readouterr().err == "this needs wrk (Debian: apt-get install wrk)\n"


def test_without_nginx_its_row_says_so_and_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    row = next(row for row in ROWS if row.server == "nginx")
    found = prepared(row, {}, ExitStack())
    assert found.is_absent
    assert "apt-get install nginx" in found.fault


def test_a_server_that_cannot_be_started_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = MappingProxyType({"nginx": lambda: raw("benchmarks.http.constant:nothing")})
    monkeypatch.setattr("benchmarks.http.__main__.SERVERS", broken)
    found = prepared(next(row for row in ROWS if row.server == "nginx"), {}, ExitStack())
    assert found.fault.startswith("it failed: ")
    assert not found.is_absent


def run(requests: int) -> Run:
    return Run(requests, 1_000_000, 100.0, 900.0)


def measured(row: Any, cpu: list[float], **more: Any) -> Measured:
    return Measured(row, cpu, [run(int(1e6 / each)) for each in cpu], **more)


def test_a_ratio_is_of_one_turn_and_the_median_of_them() -> None:
    reference = measured(REFERENCE, [10.0, 20.0, 10.0])
    assert cost(measured(ROWS[1], [5.0, 10.0, 10.0]), reference) == 0.5


def test_the_table_says_what_is_missing_and_why() -> None:
    reference = measured(REFERENCE, [25.0, 25.0])
    other = measured(
        replace(ROWS[1], name="Swift, quick", server="swift", word="a constant"), [5.0, 5.0]
    )
    absent = Measured(replace(ROWS[1], name="Gone", word="a constant"), fault="not installed")
    lines = table([reference, other, absent], {"swift": "1.2"}).splitlines()
    assert lines[2].endswith("| 25.0 | 1 | 40,000 | 1 | 100 | 900 |")
    assert lines[3] == "| Swift 1.2, quick <sup>1</sup> | 5.0 | 0.2 | 200,000 | 5 | 100 | 900 |"
    assert lines[4] == "| Gone <sup>2</sup> | - | - | - | - | - | - |"
    assert lines[6:] == ["1. a constant", "2. not installed"]


def test_each_row_has_a_server_and_each_package_a_version() -> None:
    assert {row.server for row in ROWS} == set(SERVERS)
    assert len({row.name for row in ROWS}) == len(ROWS)
    for name in ("granian", "robyn", "blacksheep"):
        assert len(wanted(name)) == 1
        assert versions()[name] in wanted(name)[0]


def test_a_row_whose_requests_fail_has_no_figures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def failing(*_: object) -> Run:
        raise RuntimeError("requests failed:\n{...}")

    monkeypatch.setattr("benchmarks.load.wrk.run", failing)
    one = Measured(REFERENCE)
    options = argparse.Namespace(seconds=1, connections=1)
    with subprocess.Popen(["true"]) as process:
        asked(one, Server("", process), tmp_path / "0.lua", options, 0)
    assert one.fault == "it failed: requests failed: {...}"
