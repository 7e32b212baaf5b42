"""The real client, in an environment of its own, against a real server over SQLite."""

import subprocess
from pathlib import Path

import pytest

from clients import python_with
from serving import serving

PROBES = {"sdk_probe.py": 37, "flags_probe.py": 18}
VERSION = "25.0.1"


@pytest.mark.parametrize("probe", PROBES)
def test_the_real_client_passes_every_step(tmp_path: Path, probe: str) -> None:
    python = python_with(f"launchdarkly-api=={VERSION}")
    with serving(tmp_path) as server:
        token = server.token("write", space="default/*")
        with server.client() as client:  # once it is known, nobody is let in without one
            while client.get("/api/v2/projects/default/experiments").status_code != 401:
                pass
        command = [python, Path(__file__).parent / probe, server.url, "--token", token]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = f"{done.stdout}\n{done.stderr}\n{server.log}"
    assert f"launchdarkly-api {VERSION}," in done.stdout, said
    assert f"{PROBES[probe]} PASS, 0 FAIL of {PROBES[probe]} steps" in done.stdout, said
    assert done.returncode == 0, said
