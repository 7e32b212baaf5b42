"""The vendor's JavaScript client resolves and applies, as it comes from its registry.

It says that its bodies are plain text, and spells some fields in snake_case.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clients import node_with
from serving import FLAG_CATALOG, Server, serving

PROBE = Path(__file__).parent / "confidence_probe.mjs"
CATALOG = FLAG_CATALOG
SDK = ("@spotify-confidence/openfeature-server-provider@0.0.3", "@openfeature/js-sdk@1.4.2")
UNITS = [f"unit-{number}" for number in range(20)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = {"ALLOTMENT_EXPOSURES": "ndjson", "ALLOTMENT_EXPOSURES_ROTATE_SECONDS": "1"}
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, env=env, catalog=CATALOG, insecure_local=False) as started:
        yield started


@pytest.fixture(scope="module")
def secret(server: Server) -> str:
    return server.token("assign")


def ask(server: Server, *questions: tuple[str, str, Any, Any]) -> list[list[Any]]:
    """What the client makes of each: value, variant, error."""
    node = ["node", "--input-type=module", "--eval", PROBE.read_text(), "--", server.url]
    done = subprocess.run(
        node,
        cwd=node_with(*SDK),
        input="\n".join(map(json.dumps, questions)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stderr}\n{server.log}"
    return [json.loads(line) for line in done.stdout.splitlines()]


def logged(server: Server) -> dict[str, str]:
    """By unit, the treatment that was applied."""
    return {
        line["unit"]: line["treatment"]
        for file in (server.folder / "exposures").glob("*.ndjson*")
        for line in map(json.loads, file.read_text().splitlines())
    }


def test_the_real_client_reads_values_of_every_type(server: Server, secret: str) -> None:
    context = {"targetingKey": "always-new"}
    questions = {
        ("login-box.shown", False): True,
        ("login-box.text", ""): "Welcome",
        ("login-box.box.width", 0): 400,
        ("login-box.box.ratio", 0.5): 2,
    }
    answers = ask(server, *((secret, flag, usual, context) for flag, usual in questions))
    new = "flags/login-box/variants/new"
    assert answers == [[expected, new, None] for expected in questions.values()]


def test_what_the_real_client_applies_is_logged(server: Server, secret: str) -> None:
    answers = ask(
        server, *((secret, "login-box.shown", False, {"targetingKey": unit}) for unit in UNITS)
    )
    given = {
        unit: variant.rpartition("/")[2]
        for unit, (_, variant, _) in zip(UNITS, answers, strict=True)
        if variant is not None
    }
    assert len(given) > 1
    deadline = time.monotonic() + 10
    while not given.items() <= logged(server).items() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert {unit: logged(server).get(unit) for unit in given} == given
