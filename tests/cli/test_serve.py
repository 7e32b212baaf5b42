"""`allotment serve --example`, and the lines it prints: each does what it says."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

import allotment
from allotment.cli.example import begin_with, lines_to_try
from allotment.store import Store
from serving import free_port

HOUSE = Path(__file__).parents[2]
EXAMPLE = HOUSE / "examples" / "serve" / "catalog.yaml"
PATIENCE = 30.0


@dataclass
class Example:
    """The example server as it runs: its process, the lines it printed, where it is.

    `pages` is the line that says where its pages are. `token` is its first one, or "" where it
    declares that none is needed.
    """

    process: subprocess.Popen[str]
    lines: list[str]
    pages: str
    url: str
    token: str

    def run(self, line: str) -> dict[str, Any]:
        """What one of the lines prints in a real shell."""
        env = {"PATH": os.environ["PATH"], "ALLOTMENT_TOKEN": self.token}
        done = subprocess.run(
            ["sh", "-c", line], env=env, capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    def get(self, address: str) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        return httpx.get(address, headers=headers, trust_env=False).json()


@pytest.fixture(params=[True, False], ids=["insecure-local", "with a token"])
def example(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Example]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "allotment.cli.app", "serve", "--example", str(EXAMPLE)]
    command += ["--insecure-local"] if request.param else []
    flags = {"--port": port, "--database-url": tmp_path / "allotment.db", "--drain-seconds": 0}
    ours = {name: value for name, value in os.environ.items() if "ALLOTMENT" not in name}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, *(str(part) for flag in flags.items() for part in flag)],
            env=ours,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline().removesuffix("\n") for _ in range(5)]
            pages = process.stdout.readline()
            deadline = time.monotonic() + PATIENCE
            while not answers(f"{url}/readyz"):
                said = (tmp_path / "log").read_text()
                assert process.poll() is None, said
                assert time.monotonic() < deadline, said
                time.sleep(0.05)
            file = tmp_path / "allotment.db.token"
            token = "" if request.param else file.read_text().strip()
            yield Example(process, lines, pages, url, token)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def assigned(told: dict[str, Any]) -> dict[str, Any]:
    """The one assignment of an answer."""
    (assignment,) = told["assignments"].values()
    return assignment


def test_the_last_line_leads_a_browser_to_the_console(example: Example) -> None:
    address = example.pages.removeprefix("# for a browser: ").strip()
    page = httpx.get(address, trust_env=False, follow_redirects=True)
    assert page.status_code == (401 if example.token else 200)
    assert "Sign in" in page.text if example.token else "search-order" in page.text


def test_each_line_that_is_printed_does_what_it_says(example: Example) -> None:
    assign, patch, semantic, masked, status = example.lines

    told = assigned(example.run(assign))
    engine = allotment.load(EXAMPLE)
    answer = engine.assign("login-without-password", "device-1")
    assert (told["treatment"], told["reason"]) == (answer.treatment, answer.reason)

    address = re.search(rf"{re.escape(example.url)}\S+/exp_\w+", patch)
    assert address is not None
    before = example.get(address[0])
    assert before["is_valid"] is True
    assert before["authentication_flow"] == "authentication"
    assert before["started_at"] == "2026-11-02T09:00:00.000Z"
    changed = example.run(patch)
    assert changed["description"] not in ("", before["description"])
    after = example.get(address[0])
    assert after["description"] == changed["description"]

    again = example.run(semantic)
    assert again["key"] == "login-without-password"
    after = example.get(address[0])
    assert after["description"] == again["description"] != changed["description"]
    instance = example.run(masked)
    assert instance["hypothesis"]["text"] in masked
    assert (instance["state"], instance["displayName"]) == ("live", before["name"])

    assert (before["status"], example.run(status)["status"]) == ("active", "paused")
    assert example.get(address[0])["status"] == "paused"
    # The next assignment sees it.
    assert assigned(example.run(assign))["reason"] == "PAUSED"

    example.process.send_signal(signal.SIGTERM)
    assert example.process.wait(PATIENCE) == 0


def test_the_example_is_only_for_a_store_that_held_nothing_yet(tmp_path: Path) -> None:
    with Store.open(tmp_path / "new.db") as store:
        first = begin_with(EXAMPLE, store)
        assert first.revision == 1
        assert begin_with(EXAMPLE, store) is first
        assert store.journal()[0].comment == "the example"


def lines(catalog: Path, *, with_token: bool = False) -> list[str]:
    return list(lines_to_try(allotment.load(catalog).catalog, "http://h:1", with_token=with_token))


def test_the_lines_follow_what_the_catalog_has(tmp_path: Path) -> None:
    assign, *_, status = lines(EXAMPLE)
    assert assign == "curl -s http://h:1/v1/assign/login-without-password/device-1"
    assert '{"status": "paused"}' in status
    held = '-H "Authorization: Bearer $ALLOTMENT_TOKEN"'
    assert all(held in line for line in lines(EXAMPLE, with_token=True))
    other = tmp_path / "other.yaml"
    other.write_text(EXAMPLE.read_text().replace("state: running", "state: paused"))
    assert '{"status": "active"}' in lines(other)[-1]
    other.write_text("allotment: 1")
    assert lines(other) == []


def test_a_catalog_without_the_marks_of_auth0_has_lines_too() -> None:
    assert "/delivery-banner/city-1" in lines(HOUSE / "examples" / "geo" / "catalog.yaml")[0]


def test_a_server_is_not_started_on_what_it_cannot_use(run, tmp_path: Path) -> None:
    no_store = tmp_path / "other.db"
    no_store.write_text("no database")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for arguments, said in (
            (["--port", 0, "--database-url", no_store], "error: "),
            (["--port", port], f"port {port} of 127.0.0.1 is in use"),
            (["--example", "none.yaml"], "there is no file none.yaml"),
        ):
            done = run("serve", *arguments)
            assert (done.returncode, done.stdout) == (1, "")
            assert said in done.stderr
            assert "Traceback" not in done.stderr


def test_make_serve_begins_with_the_example() -> None:
    told = subprocess.run(
        ["make", "--dry-run", "--old-file", ".venv/ready", "serve"],
        cwd=HOUSE, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    (line,) = [line for line in told.splitlines() if "allotment serve" in line]
    where = str(EXAMPLE.relative_to(HOUSE))
    assert line.split()[1:] == ["serve", "--insecure-local", "--example", where]
