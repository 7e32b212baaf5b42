"""The real clients, each in an environment of its own, against a real server over SQLite."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients import node_with, python_with
from serving import Server, serving

NODE = "auth0@7.1.0"
VERSIONS = ("6.8.0", "6.7.0")
PROBE = Path(__file__).parent / "auth0_probe.py"
STEPS = 82
NODE_STEPS = 12


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server"), insecure_local=False) as started:
        yield started


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.token("write")


LISTED = """
import sys
from auth0.management import Auth0
client = Auth0(base_url=sys.argv[1], token=sys.argv[2]).experimentation
for name in ("experiments", "feature_flags", "segments"):
    shown = [*getattr(client, name).list(take=50)]
    print(name, len(shown))
    if name == "experiments":
        print(sorted(item.weight for one in shown for item in one.allocations))
"""
FOREIGN = [("33.3333", "66.6667"), ("0.0001", "0.0002"), ("99.9999", "0"), ("16.7", "33.3")]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_real_client_lists_what_launchdarklys_api_made(tmp_path: Path, version: str) -> None:
    python = python_with(f"auth0-python=={version}", "httpx")
    with serving(tmp_path) as elsewhere:
        with elsewhere.client() as client:
            made = client.post("/api/v2/flags/default", json={"key": "button", "name": "Button"})
            ids = [each["_id"] for each in made.json()["variations"]]
            for number, percents in enumerate(FOREIGN):
                treatments = [
                    {
                        "name": str(index),
                        "baseline": not index,
                        "allocationPercent": percent,
                        "parameters": [{"flagKey": "button", "variationId": ids[index]}],
                    }
                    for index, percent in enumerate(percents)
                ]
                iteration = {
                    "hypothesis": "",
                    "metrics": [],
                    "primarySingleMetricKey": "sales",
                    "treatments": treatments,
                    "flags": {"button": {"ruleId": "fallthrough", "flagConfigVersion": 1}},
                }
                body = {"key": f"e{number}", "name": "E", "iteration": iteration}
                path = "/api/v2/projects/default/environments/production/experiments"
                assert client.post(path, json=body).status_code == 201
        reading = elsewhere.token("read")
        command = [python, "-c", LISTED, f"{elsewhere.url}/api/v2", reading]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{elsewhere.log}"
    assert f"experiments {len(FOREIGN)}" in done.stdout
    assert str(sorted([33, 67, 0, 0, 100, 0, 17, 33])) in done.stdout


EMPTY = """
import sys
from auth0.management import Auth0
client = Auth0(base_url=sys.argv[1], token=sys.argv[2]).experimentation
for one in client.segments.list():
    given = client.segments.get(one.id).rules
    print(one.name, client.segments.update(one.id, rules=given).rules == given == one.rules)
for one in client.feature_flags.list():
    given = client.feature_flags.get(one.id).parameters
    print(one.name, given, client.feature_flags.update(one.id, parameters=given).parameters)
"""
UNSAID = """
allotment: 1
segments:
  everyone: {rules: [{all: []}]}
  nobody: {rules: []}
flags:
  bare: {default: a, variations: {a: {value: {}}, b: {value: {}}}}
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_the_real_client_reads_what_its_api_cannot_say_and_sends_it_back(
    tmp_path: Path, version: str
) -> None:
    """A rule without conditions is `{"match": {}}`, which the document has in answers alone."""
    python = python_with(f"auth0-python=={version}", "httpx")
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text(UNSAID)
    with serving(tmp_path, catalog=catalog) as elsewhere:
        token = elsewhere.token("write")
        command = [python, "-c", EMPTY, f"{elsewhere.url}/api/v2", token]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        with elsewhere.client(token=token) as client:
            revision = client.get("/v1/snapshot").headers["allotment-revision"]
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{elsewhere.log}"
    assert done.stdout.splitlines() == ["everyone True", "nobody True", "bare {} {}"]
    assert revision == "1"


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


def test_the_real_node_client_passes_every_step(server: Server, token: str) -> None:
    probe = (Path(__file__).parent / "auth0_probe.mjs").read_text()
    node = ["node", "--input-type=module", "--eval", probe, "--", server.url, token]
    done = subprocess.run(
        node, cwd=node_with(NODE), capture_output=True, text=True, check=False, timeout=120
    )
    said = f"{done.stdout}\n{done.stderr}\n{server.log}"
    assert done.returncode == 0, said
    assert done.stdout.count("ok ") == NODE_STEPS, said
