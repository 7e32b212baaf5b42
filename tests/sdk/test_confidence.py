"""The real client in an environment of its own, against a real server over SQLite."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allotment.change.commands import SetWeights
from allotment.model.plain import to_plain
from clients import python_with
from serving import FLAG_CATALOG, Server, serving

PROBE = Path(__file__).parent / "confidence_probe.py"
CATALOG = FLAG_CATALOG
SDK = "spotify-confidence-sdk==3.0.3"

NEW = {"targeting_key": "always-new"}
FOUND, DEFAULT = "TARGETING_MATCH", "DEFAULT"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(
        tmp_path_factory.mktemp("server"), catalog=CATALOG, insecure_local=False
    ) as started:
        yield started


@pytest.fixture(scope="module")
def secret(server: Server) -> str:
    return server.token("assign")


def ask(server: Server, *questions: tuple[str, str, Any, Any]) -> list[list[Any]]:
    """What the client makes of each: value, variant, reason, error."""
    done = subprocess.run(
        [python_with(SDK), PROBE, server.url],
        input="\n".join(map(json.dumps, questions)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stderr}\n{server.log}"
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_real_client_reads_values_of_every_type(server: Server, secret: str) -> None:
    value = {"shown": True, "text": "Welcome", "box": {"width": 400, "ratio": 2}}
    questions = {
        ("login-box.shown", False): True,
        ("login-box.text", ""): "Welcome",
        ("login-box.box.width", 0): 400,
        ("login-box.box.ratio", 0.5): 2,
    }
    asked = [(secret, flag, default, NEW) for flag, default in questions]
    answers = ask(server, *asked, (secret, "login-box", {}, NEW))
    expected = [*questions.values(), value]
    assert answers == [[each, "new", FOUND, None] for each in expected]


def test_the_real_client_falls_back_to_its_default(server: Server, secret: str) -> None:
    elsewhere = {"targeting_key": "someone", "country": "FR"}
    answers = ask(
        server,
        (secret, "kept-box.shown", True, elsewhere),
        (secret, "login-box.shown", True, {}),
        (secret, "nothing.shown", True, NEW),
        (f"{secret}x", "login-box.shown", False, NEW),
        ("", "login-box.shown", False, NEW),
        (secret, "login-box.shown", False, {"targeting_key": "x" * 2_000}),
    )
    assert [each[0] for each in answers] == [True, True, True, False, False, False]
    assert [each[1] for each in answers] == [None] * 6
    assert [each[3] for each in answers] == [
        None,
        None,
        "FLAG_NOT_FOUND",
        "GENERAL",
        "GENERAL",
        None,
    ]


def test_the_real_client_sees_what_another_api_changes(server: Server, secret: str) -> None:
    admin = server.token("admin")
    someone = (secret, "made-here.shown", False, {"targeting_key": "someone", "country": "SE"})
    experiment = {
        "displayName": "Made here",
        "abtest": {
            "treatments": [
                {"variant": "flags/made-here/variants/on", "weight": "10000"},
                {"variant": "flags/made-here/variants/off", "weight": 0},
            ]
        },
        "flags": {"segment": "segments/made-here"},
    }
    with server.client(token=admin) as client:

        def post(path: str, body: Any = None) -> Any:
            answer = client.post(f"/v1/{path}", json={} if body is None else body)
            assert answer.status_code == 200, answer.text
            return answer.json()

        post("flags?flagId=made-here")
        post("flags/made-here/variants?variantId=on", {"value": {"shown": True}})
        post("flags/made-here/variants?variantId=off", {"value": {"shown": False}})
        post("segments?segmentId=made-here", {"allocation": {"proportion": {"value": "0"}}})
        one = post("workflows/abtest/instances", experiment)
        assert ask(server, someone) == [[False, None, DEFAULT, None]]  # it is a draft
        post(f"{one['name']}:transition", {"targetState": "live"})
        assert ask(server, someone) == [[False, None, DEFAULT, None]]  # of nobody so far
        proportion = {"allocation": {"proportion": {"value": "1"}}}
        assert client.patch("/v1/segments/made-here", json=proportion).status_code == 200
        assert ask(server, someone) == [[True, "on", FOUND, None]]
        path = "/v1/catalog/segments/made-here"
        noun = client.get(path).json()
        rules = {**noun, "rules": [{"attribute": "country", "in": ["NO"]}]}
        changed = client.put(path, json=rules)
        assert changed.status_code == 200, changed.text
        assert ask(server, someone) == [[False, None, DEFAULT, None]]
        post(f"{one['name']}:transition", {"targetState": "ended"})
        post("flags/made-here:archive")
        assert ask(server, someone)[0][3] == "FLAG_NOT_FOUND"


def test_a_kept_assignment_outlives_the_server(tmp_path: Path) -> None:
    with serving(tmp_path, catalog=CATALOG) as server:
        secret, admin = server.token("assign"), server.token("admin")
        asked = [
            (secret, "kept-box.shown", False, {"targeting_key": f"unit-{n}", "country": "SE"})
            for n in range(12)
        ]
        before = ask(server, *asked)
        assert {variant for _, variant, _, _ in before} == {"control", "new"}
        server.restart()
        with server.client(token=admin) as client:
            # From now on everybody gets control, but for whom something else is kept.
            weights = SetWeights("kept-box", "everyone", (("control", 1), ("new", 0)), 1)
            answer = client.post("/v1/commands", json={"commands": to_plain((weights,))})
            assert answer.status_code == 200, answer.text
        assert ask(server, *asked) == before
        fresh = [
            (secret, flag, default, {**context, "targeting_key": f"fresh-{n}"})
            for n, (_, flag, default, context) in enumerate(asked)
        ]
        assert {variant for _, variant, _, _ in ask(server, *fresh)} == {"control"}
