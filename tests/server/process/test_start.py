"""How a server starts, and how it says that it cannot."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from allotment.errors import AllotmentError, InvalidInput
from allotment.server.process.listen import listeners
from allotment.server.process.run import open_store
from allotment.server.settings import Settings
from rawclient import connected, get
from serving import Server, environment, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as served:
        yield served


def start(folder: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Start a server that cannot, and wait for it to say so."""
    return subprocess.run(
        [sys.executable, "-m", "allotment.cli.app", "serve"],
        cwd=folder,
        env=environment({f"ALLOTMENT_{name.upper()}": value for name, value in settings.items()}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        ended = start(tmp_path, port=port)
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        f"error: port {port} of 127.0.0.1 is in use; choose another with --port or ALLOTMENT_PORT"
    ]
    assert list(tmp_path.iterdir()) == [], "no store is made for a server that does not serve"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_file_that_is_no_store_is_one_clear_line(workers: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("This is no store.")
    ended = start(tmp_path, port="0", workers=workers, database_url="README.md")
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: ")
    assert "README.md" in line


@pytest.mark.parametrize(
    ("host", "what"),
    [
        ("203.0.113.1", "of 203.0.113.1 cannot be listened on: Cannot assign requested address"),
        ("no.such.host.invalid", "no.such.host.invalid is no address to listen on"),
    ],
)
def test_a_host_that_is_not_here_is_refused(host: str, what: str) -> None:
    with pytest.raises(InvalidInput, match=what):
        listeners(Settings(host=host, port=0))


@pytest.mark.parametrize(
    ("address", "what"),
    [("mysql://host/name", "mysql"), ("/nowhere/at/all.db", "/nowhere/at/all.db")],
)
def test_a_store_that_will_never_be_there_is_refused(address: str, what: str) -> None:
    with pytest.raises(AllotmentError, match=what):
        open_store(Settings(database_url=address))


def test_a_store_that_is_only_away_is_waited_for(tmp_path: Path) -> None:
    away = "postgresql+psycopg://nobody:hunter2@127.0.0.1:1/none"
    with serving(tmp_path, database_url=away, until="/healthz") as server:
        with connected(server.url) as client:
            assert client.ask(get("/readyz")).status == 503
            assert client.ask(get("/v1/assign/search-order/user-1")).status == 503
        assert server.stop() == 0
        assert "Traceback" not in server.log
        assert "hunter2" not in server.log


def test_it_says_where_it_serves_what_and_that_it_trusts_this_machine(server: Server) -> None:
    for _ in range(2):  # at every start
        trusts, serves = (json.loads(line) for line in server.log.splitlines()[-2:])
        assert trusts["level"] == "warning"
        assert trusts["event"].startswith("insecure_local is on: ")
        assert serves["event"] == "serving"
        assert serves["url"] == server.url
        assert serves["database"] == server.database
        assert serves["revision"] == 0
        server.restart()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "203.0.113.1"])
def test_a_server_that_trusts_this_machine_listens_nowhere_else(host: str, tmp_path: Path) -> None:
    ended = start(tmp_path, host=host, port="0", insecure_local="1")
    assert ended.returncode == 1
    assert ended.stderr == (
        f"error: with insecure_local a server listens on a loopback address only, and {host} is"
        " none; leave one of the two out\n"
    )
    for here in ("localhost", "127.8.8.8"):
        for each in listeners(Settings(host=here, port=0, insecure_local=True)):
            each.close()


def test_a_line_is_logged_for_every_request_if_asked_for(tmp_path: Path) -> None:
    with serving(tmp_path, env={"ALLOTMENT_ACCESS_LOG": "true"}) as server:
        with connected(server.url) as client:
            client.ask(get("/nowhere/%0aforged?secret=hunter2"))
        assert server.stop() == 0
        lines = [json.loads(line) for line in server.log.splitlines()]
        (line,) = [line for line in lines if line.get("status") == 404]
        assert line["path"] == "other"  # what names no route may hold a unit, or a secret
        assert "forged" not in server.log
        assert (line["method"], line["status"], line["client"]) == ("GET", 404, "127.0.0.1")
        assert "hunter2" not in server.log


def test_a_worker_that_dies_is_replaced_and_the_others_go_on(tmp_path: Path) -> None:
    with serving(tmp_path, workers=2) as server:
        deadline = time.monotonic() + 30
        while server.log.count('"serving"') < 2:
            assert time.monotonic() < deadline, server.log
            time.sleep(0.05)
        first = workers_of(server)
        assert len(first) == 2
        os.kill(first.pop(), signal.SIGKILL)
        with server.client() as client:
            while server.log.count('"serving"') < 3:
                assert time.monotonic() < deadline, server.log
                assert client.get("/healthz").status_code == 200
        assert len(workers_of(server) - first) == 1
        assert server.stop() == 0


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    with serving(tmp_path, workers=2) as server:
        workers = workers_of(server)
        server.process.kill()
        server.process.wait()
        deadline = time.monotonic() + 20
        while any(Path(f"/proc/{each}").exists() for each in workers):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def workers_of(server: Server) -> set[int]:
    parent = server.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return {int(each) for each in children.split()}
