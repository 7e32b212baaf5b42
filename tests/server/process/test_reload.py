"""SIGHUP reads the settings again, and never stops a server."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from serving import FLAG_CATALOG, PATIENCE, Server, serving


def wait_until(server: Server, *words: str, times: int = 1) -> None:
    deadline = time.monotonic() + PATIENCE
    while server.log.count(words[0]) < times or not all(word in server.log for word in words):
        assert time.monotonic() < deadline, server.log
        time.sleep(0.02)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_hang_up_reads_the_level_of_the_log_again(tmp_path: Path, workers: int) -> None:
    file = tmp_path / "allotment.toml"
    file.write_text('log_level = "info"\n')
    env = {"ALLOTMENT_CONFIG": str(file), "ALLOTMENT_LOG_FORMAT": "json"}
    with serving(tmp_path, env=env, workers=workers) as server:
        file.write_text('log_level = "debug"\n')
        server.process.send_signal(signal.SIGHUP)
        wait_until(server, '"event": "reloaded", "log_level": "debug"', times=workers)
        file.write_text('log_level = "loud"\n')
        server.process.send_signal(signal.SIGHUP)
        wait_until(server, "the settings are not reloaded: log_level", times=workers)
        with server.client() as client:
            assert client.get("/healthz").status_code == 200
        assert server.stop() == 0


def test_what_the_environment_sets_stays(tmp_path: Path) -> None:
    file = tmp_path / "allotment.toml"
    file.write_text("")
    env = {"ALLOTMENT_CONFIG": str(file), "ALLOTMENT_LOG_LEVEL": "info"}
    with serving(tmp_path, env=env) as server:
        file.write_text('log_level = "error"\n')
        server.process.send_signal(signal.SIGHUP)
        wait_until(server, "reloaded")


def test_a_hang_up_begins_a_new_file_of_exposures(tmp_path: Path) -> None:
    env = {"ALLOTMENT_EXPOSURES": "ndjson"}
    folder = tmp_path / "exposures"
    with serving(tmp_path, env=env, catalog=FLAG_CATALOG) as server, server.client() as client:
        for number in (1, 2):
            client.post("/v1/assign", json={"unit": f"user-{number}"}).raise_for_status()
            deadline = time.monotonic() + PATIENCE
            while not any(each.stat().st_size for each in folder.glob("*.writing")):
                assert time.monotonic() < deadline, list(folder.iterdir())
                time.sleep(0.02)
            server.process.send_signal(signal.SIGHUP)
            wait_until(server, "reloaded", times=number)
            while len(list(folder.glob("*.ndjson"))) < number:
                assert time.monotonic() < deadline, list(folder.iterdir())
                time.sleep(0.02)
