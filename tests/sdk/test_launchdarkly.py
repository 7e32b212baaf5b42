"""The real clients, in environments of their own, against a real server over SQLite."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients import node_with, python_with
from serving import Server, serving

HERE = Path(__file__).parent
VERSION = "25.0.1"
PROBES = {
    "launchdarkly_probe.py": 37,
    "launchdarkly_flags_probe.py": 18,
    "launchdarkly_before_probe.py": 10,
}
NODE_PROBES = {
    "launchdarkly_mcp_probe.mjs": ("@launchdarkly/mcp-server@0.6.2", 7),
    "launchdarkly_probe.mjs": ("launchdarkly-api-typescript@17.2.0", 12),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server"), insecure_local=False) as started:
        yield started


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.token("write", space="default/*")


@pytest.mark.parametrize("probe", PROBES)
def test_the_real_client_passes_every_step(server: Server, token: str, probe: str) -> None:
    python = python_with(f"launchdarkly-api=={VERSION}")
    command = [python, HERE / probe, server.url, "--token", token]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = f"{done.stdout}\n{done.stderr}\n{server.log}"
    assert f"launchdarkly-api {VERSION}," in done.stdout, said
    assert f"{PROBES[probe]} PASS, 0 FAIL of {PROBES[probe]} steps" in done.stdout, said
    assert done.returncode == 0, said


@pytest.mark.parametrize("probe", NODE_PROBES)
def test_the_real_node_client_passes_every_step(server: Server, token: str, probe: str) -> None:
    package, steps = NODE_PROBES[probe]
    command = ["node", HERE / probe, server.url, token]
    done = subprocess.run(
        command, cwd=node_with(package), capture_output=True, text=True, check=False, timeout=120
    )
    said = f"{done.stdout}\n{done.stderr}\n{server.log}"
    assert f"{steps} PASS, 0 FAIL of {steps} steps" in done.stdout, said
    assert done.returncode == 0, said
