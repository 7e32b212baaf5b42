"""The first token of a store: made once, said once, and only to the one who started the server."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from allotment.server.auth.first_token import make_first_token
from allotment.store import Scope, Store
from faults.history import lay
from serving import PATIENCE, Server, environment, serving

TEXT = re.compile(r"allot_[A-Za-z0-9_-]{43}")


def status(server: Server, token: str | None) -> int:
    with server.client(token=token) as client:
        return client.get("/v1/spaces").status_code


@pytest.mark.parametrize("workers", [1, 2])
def test_without_a_terminal_it_is_in_a_file_that_only_its_owner_reads(
    workers: int, tmp_path: Path
) -> None:
    file = tmp_path / "allotment.db.token"
    with serving(tmp_path, workers=workers, insecure_local=False) as server:
        text = file.read_text().removesuffix("\n")
        assert TEXT.fullmatch(text)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert (status(server, None), status(server, text)) == (401, 200)
        with Store.open(server.database) as store:
            [made] = store.tokens()
        assert (made.scope, made.space, made.expires_at) == (Scope.ADMIN, "*/*", None)
        [line] = [line for line in server.log.splitlines() if "first token" in line]
        assert str(file) in line
        assert made.id in line
        file.unlink()
        server.restart()
        assert status(server, text) == 200
        assert not TEXT.search(server.log)
    assert not [each for each in tmp_path.iterdir() if ".token" in each.name]


def test_on_a_terminal_it_is_shown_once_and_is_in_no_file(tmp_path: Path) -> None:
    shown = [on_a_terminal(tmp_path) for _ in range(2)]
    [text] = TEXT.findall(shown[0])
    assert f"    export ALLOTMENT_TOKEN={text}" in shown[0]
    assert not TEXT.search(shown[1])
    for file in tmp_path.iterdir():
        assert text.encode() not in file.read_bytes(), file


def on_a_terminal(folder: Path) -> str:
    """What a server says whose standard error is a terminal, from its start to its end."""
    ours, theirs = pty.openpty()
    settings = {"ALLOTMENT_PORT": "0", "ALLOTMENT_DRAIN_SECONDS": "0"}
    process = subprocess.Popen(
        [sys.executable, "-m", "allotment.cli.app", "serve"],
        cwd=folder,
        env=environment(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    try:
        for part in read(ours):
            served, said = b" serving " in said, said + part
            if not served and b" serving " in said:
                process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return said.decode()


def read(terminal: int) -> Iterator[bytes]:
    """What comes over a terminal until its other end is closed."""
    while select.select([terminal], [], [], PATIENCE)[0]:
        try:
            yield os.read(terminal, 1 << 16)
        except OSError:
            return


def test_of_servers_that_start_at_once_one_makes_it(database: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = []
        for number in range(3):
            (folder := tmp_path / str(number)).mkdir()
            setting = {"ALLOTMENT_DATABASE_URL": database, "ALLOTMENT_PORT": "0"}
            server = Server(folder, environment(setting), database)
            server.launch()
            stack.callback(server.kill)
            servers.append(server)
        deadline = time.monotonic() + 60
        while not all('"serving"' in each.log for each in servers):
            assert time.monotonic() < deadline, [each.log for each in servers]
            time.sleep(0.05)
        assert sum("the first token is made" in each.log for each in servers) == 1
        with Store.open(database) as store:
            assert len(store.tokens()) == 1
    assert len([each for each in tmp_path.rglob("*.token*") if each.is_file()]) == 1


def test_where_it_is_declared_that_none_is_needed_none_is_made(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        assert status(server, None) == 200
        with Store.open(server.database) as store:
            assert store.tokens() == ()
    with serving(tmp_path, insecure_local=False) as server:  # and is, once it is needed
        text = (tmp_path / "allotment.db.token").read_text().strip()
        assert (status(server, None), status(server, text)) == (401, 200)


def test_a_store_that_is_the_wrong_one_gets_no_token(tmp_path: Path) -> None:
    lay(tmp_path / "allotment.db")
    with serving(tmp_path) as server:
        server.stop()
    for file in tmp_path.glob("allotment.db*"):
        if "lastgood" not in file.name:
            file.unlink()
    with serving(tmp_path, insecure_local=False) as server, Store.open(server.database) as store:
        assert store.tokens() == ()
        assert not (tmp_path / "allotment.db.token").exists()
        assert status(server, None) == 401


def test_where_its_file_cannot_be_written_none_is_made_and_that_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Store.open(tmp_path / "allotment.db") as store:
        make_first_token(store, tmp_path / "none" / "allotment.token", tmp_path / "lastgood")
        assert store.tokens() == ()
        assert "`allotment token create` makes one" in caplog.text
        make_first_token(store, tmp_path / "allotment.token", tmp_path / "lastgood")
        assert len(store.tokens()) == 1
