"""The real clients, each in an environment of its own, against a real server over SQLite."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients import python_with
from serving import Server, serving

VERSIONS = ("6.8.0", "6.7.0")
PROBE = Path(__file__).parent / "sdk_probe.py"
STEPS = 82


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as started:
        yield started


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    text = server.token("write")
    with server.client() as client:  # from the moment it is known, nobody is let in without one
        while client.get("/api/v2/experimentation/segments").status_code != 401:
            pass
    return text


@pytest.mark.parametrize("style", ["patch", "post"])
@pytest.mark.parametrize("version", VERSIONS)
def test_the_real_client_passes_every_step(
    server: Server, token: str, version: str, style: str
) -> None:
    python = python_with(f"auth0-python=={version}", "httpx")
    command = [python, PROBE, f"{server.url}/api/v2", "--token", token, "--style", style]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = f"{done.stdout}\n{done.stderr}\n{server.log}"
    assert f"auth0-python {version}," in done.stdout, said
    assert f"{STEPS} PASS, 0 FAIL, 0 SOFT-FAIL of {STEPS} steps" in done.stdout, said
    assert done.returncode == 0, said
