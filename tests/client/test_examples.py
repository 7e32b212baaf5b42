"""The example applications, each as its README runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from client.changing import commit
from docs.blocks import HOUSE
from faults.waiting import wait_for
from serving import Server, environment, free_port, serving

EXAMPLES = HOUSE / "examples"
CATALOG = EXAMPLES / "serve" / "catalog.yaml"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, catalog=CATALOG) as served:
        yield served


def rename(server: Server) -> int:
    return commit(server, {"is": "Rename", "kind": "flag", "key": "search-order", "name": "Order"})


@contextmanager
def running(program: list[str], env: Mapping[str, str], folder: Path) -> Iterator[Path]:
    """A program, which is ended at the end; the file of what it says."""
    said = folder / "said"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *program],
            env=environment(env),
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield said
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def test_the_fastapi_application_follows_and_outlives_the_server(
    server: Server, tmp_path: Path
) -> None:
    port = free_port()
    program = ["uvicorn", "--app-dir", str(EXAMPLES / "fastapi-app"), "app:app", f"--port={port}"]
    env = {"ALLOTMENT_URL": server.url, "ALLOTMENT_FILE": "last-good"}
    with (
        running(program, env, tmp_path) as said,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):

        def health() -> dict[str, object]:
            try:
                found: dict[str, object] = client.get("/health").json()
            except httpx.TransportError:
                return {}
            return found

        wait_for(health, 20)
        orders = {client.get(f"/search/user-{n}").json()["order"] for n in range(50)}
        assert orders == {"relevance", "rating"}, said.read_text()
        revision = rename(server)
        wait_for(lambda: health().get("revision") == revision, 10)
        server.kill()
        assert client.get("/search/user-1").is_success
        assert (tmp_path / "last-good").exists()


def test_celery_workers_follow_in_each_child(server: Server, tmp_path: Path) -> None:
    """Messages and results are files, so no broker is needed."""
    for name in ("data_in", "processed", "results"):
        (tmp_path / name).mkdir()
    (tmp_path / "data_out").symlink_to("data_in")  # what is sent is what is received
    env = {
        "ALLOTMENT_URL": server.url,
        "BROKER_URL": "filesystem://",
        "RESULT_BACKEND": f"file://{tmp_path}/results",
        "PYTHONPATH": os.pathsep.join([str(EXAMPLES / "celery"), str(HOUSE / "src")]),
    }
    worker = ["celery", "-A", "tasks", "worker", "--concurrency=2", "--loglevel=WARNING"]
    with running(worker, env, tmp_path) as said:
        done = subprocess.run(
            [sys.executable, "-c", ASK],
            env=environment(env),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr + said.read_text()
    assert done.stdout.split() == ["both", "children", "followed"]


# Asks until both children have answered from a revision that came after they were forked.
ASK = """
import os, time, httpx, tasks

revision, seen = 0, set()
deadline = time.monotonic() + 50
tasks.order_of.delay("user-1").get(timeout=40)
command = {"is": "Rename", "kind": "flag", "key": "search-order", "name": "Order"}
done = httpx.post(os.environ["ALLOTMENT_URL"] + "/v1/commands", json={"commands": [command]})
revision = done.json()["revision"]
while len(seen) < 2:
    assert time.monotonic() < deadline, (seen, revision)
    several = [tasks.order_of.delay(f"user-{n}") for n in range(4)]
    for each in several:
        found = each.get(timeout=40)
        assert found["order"] in ("relevance", "rating")
        if found["revision"] >= revision:
            seen.add(found["process"])
print("both children followed")
"""
