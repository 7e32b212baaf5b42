"""Nothing that anybody may ask holds the event loop, on which everybody is answered."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from allotment.model.limits import CLAUSE_VALUES_MAX
from allotment.server.http.limits import BODY_BYTES_MAX
from allotment.server.process.run import COLLECTING
from hostile.operations import answer_of, operations
from server.connection.largest import large_flags, largest
from serving import Server, serving

MILLISECONDS = 20
WATCHED = Path(__file__).with_name("watched.py")

EXPERIMENTS = 1_000  # also the most flags that one `flags:resolve` may ask
ELEMENTS = 8_000
IDS = 100_000
LIST = [f"{number:05d}" for number in range(ELEMENTS)]


def catalog() -> dict[str, Any]:
    """Many of everything, and the largest clauses."""
    values = [f"v{number}w" for number in range(CLAUSE_VALUES_MAX)]
    texts = ("in", "starts_with", "ends_with", "contains")
    rules: list[Any] = [{"attribute": "list", each: values} for each in texts]
    rules.append({"attribute": "list", "matches": [f"q+{number}z" for number in range(20)]})
    experiment = {
        "state": "running",
        "treatments": {"a": {"control": True}, "b": {}},
        "allocations": [{"segment": "long", "weights": {"a": 50, "b": 50}}],
    }
    dealt = [{"weights": {"a": 50, "b": 50}}]
    keys = [f"x{number:04d}" for number in range(EXPERIMENTS)]
    long = {"a": {"control": True, "sets": {"f0000": "on"}}, "b": {"sets": {"f0000": "off"}}}
    flag = {"default": "off", "variations": {"on": {"value": True}, "off": {"value": False}}}
    return {
        "allotment": 1,
        "segments": {
            "long": {"rules": rules},
            "ids": {"include": [f"unit-{number:025d}" for number in range(IDS)]},
        },
        "experiments": {
            **{key: {**experiment, "allocations": dealt} for key in keys},
            "x0000": {**experiment, "treatments": long},
            "keeps": {**experiment, "keeps_assignments": True},
        },
        "flags": {
            **{f"f{number:04d}": flag for number in range(1, EXPERIMENTS)},
            "f0000": {**flag, "experiments": ["x0000"]},
        },
    }


@dataclass
class Watched:
    """A server whose loop is watched, and a client of it that may do everything."""

    server: Server
    client: httpx.Client
    path: Path

    def slow(self, milliseconds: float = MILLISECONDS) -> list[str]:
        """What took too long on the loop since it was last asked."""
        time.sleep(0.02)  # the last callback of an answer may still run
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        self.path.unlink(missing_ok=True)
        return [line for line in lines if float(line.split()[0]) > milliseconds]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    (folder / "catalog.yaml").write_text(json.dumps(catalog()))
    path = folder / "slow"
    program = [sys.executable, str(WATCHED), str(path), "serve"]
    env = {"ALLOTMENT_LAUNCHDARKLY_LENIENT": "1"}
    with serving(folder, catalog=folder / "catalog.yaml", env=env, program=program) as server:
        token = server.token("admin", space="*/*")
        with server.client(token=token) as client:
            client.headers["allotment-space"] = "default/production"
            while client.get("/v1/spaces").status_code == 401:
                pass
            found = Watched(server, client, path)
            found.slow()
            yield found


ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "a long list": ("/v1/assign", {"experiment": "x0000"}),
    "a long list where assignments are kept": ("/v1/assign", {"experiment": "keeps"}),
    "a long list in all experiments": ("/v1/assign", {}),
    "a flag": ("/v1/resolve", {"flag": "f0000"}),
    "all flags": ("/v1/resolve", {}),
    "an explanation": ("/v1/explain", {"experiment": "x0000"}),
}
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "list": {"list": LIST},
    "text": {"list": "q" * 8_000},
    "short list": {"list": LIST[:100]},
    "none": {},
}


@pytest.mark.parametrize("attributes", ATTRIBUTES)
@pytest.mark.parametrize("asked", ASKED)
def test_no_question_holds_the_loop(watched: Watched, asked: str, attributes: str) -> None:
    path, body = ASKED[asked]
    answer = watched.client.post(
        path, json={"unit": "someone", "attributes": ATTRIBUTES[attributes], **body}
    )
    assert answer.status_code == 200, answer.text
    assert watched.slow() == []


def test_confidence_resolves_a_thousand_flags_without_holding_the_loop(watched: Watched) -> None:
    secret = watched.client.headers["authorization"].removeprefix("Bearer ")
    for context in ({"list": LIST}, {}):
        answer = watched.client.post(
            "/v1/flags:resolve",
            json={"clientSecret": secret, "evaluationContext": context, "flags": []},
        )
        assert answer.status_code == 200, answer.text
        assert watched.slow() == []


@pytest.mark.soak
def test_confidence_shows_all_large_flags_of_a_space_without_holding_the_loop(
    watched: Watched,
) -> None:
    """The request is short, and the answer has 15 MB."""
    secret = watched.client.headers["authorization"].removeprefix("Bearer ")
    space = {"allotment-space": "large/production"}
    watched.client.post("/v1/spaces", json={"name": "large/production"}).raise_for_status()
    _, made = large_flags(900)
    made_of = watched.client.post("/v1/commands", json={"commands": made}, headers=space)
    assert made_of.is_success, made_of.text
    watched.slow()
    for context in ({"targeting_key": "u"}, {}):
        body = {"clientSecret": secret, "evaluationContext": context, "apply": True}
        answer = watched.client.post("/v1/flags:resolve", json=body, headers=space)
        assert len(answer.json()["resolvedFlags"]) == 900
        assert len(answer.content) > 14_000_000
        assert watched.slow() == []


@pytest.mark.parametrize(
    ("rows", "experiments"),
    [(10, None), (300, None), (10_000, ["x0001"]), (30_000, ["x0000"]), (10_000, ["keeps"])],
)
def test_no_batch_of_ids_holds_the_loop(
    watched: Watched, rows: int, experiments: list[str] | None
) -> None:
    """From the second or third on, one that is quick is answered on the loop."""
    batch = {"units": [f"unit-{number:025d}" for number in range(rows)]}
    asked = batch if experiments is None else {**batch, "experiments": experiments}
    for _ in range(6):
        answer = watched.client.post("/v1/assign/batch", json=asked)
        assert answer.status_code == 200, answer.text
        assert watched.slow(5) == []


def test_a_long_json_patch_is_refused_without_holding_the_loop(watched: Watched) -> None:
    one = {"op": "replace", "path": "/name", "value": "x"}
    for patch in ([one] * 18_000, {"patch": [one] * 18_000}):
        answer = watched.client.patch("/api/v2/flags/default/f0001", json=patch)
        assert answer.status_code == 400
        assert watched.slow() == []


def test_the_collector_of_garbage_looks_at_few_objects_at_a_time() -> None:
    """What is under way outlives collections of the youngest, and is looked at later together."""
    looked_at = []

    def look(phase: str, about: dict[str, int]) -> None:
        if phase == "start" and about["generation"] < 2:
            young = range(about["generation"] + 1)
            looked_at.append(sum(len(gc.get_objects(each)) for each in young))

    before = gc.get_threshold()
    gc.collect()
    gc.callbacks.append(look)
    try:
        gc.set_threshold(*COLLECTING)
        kept = [[] for _ in range(500_000)]
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(look)
    assert len(kept) == 500_000
    assert len(looked_at) > 10
    assert max(looked_at) <= 51_000  # some 8 ms


# As slow to read as a body of its size can be.
LARGE = b"{%b}" % b",".join(b'"k%d":0' % number for number in range(90_000))


def test_no_operation_holds_the_loop(watched: Watched) -> None:
    document = watched.client.get("/openapi.json").json()
    json_too = {"content-type": "application/json"}
    held: dict[str, list[str]] = {}
    for operation in operations(document):
        url = operation.url(key="x0000", experiment="x0000")
        if operation.body is None:
            query = {"limit": "1000"} if operation.parameters("query") else {}
            answer_of(watched.client, operation.method, url, params=query)
        else:
            assert len(LARGE) < BODY_BYTES_MAX
            watched.client.request(operation.method, url, content=LARGE, headers=json_too)
        if slow := watched.slow():
            held[str(operation)] = slow
    assert held == {}


# Of the longest lists a test takes a part: all of it is megabytes that take minutes.
PART = 16


def test_no_operation_holds_the_loop_with_the_largest_body_that_it_accepts(
    watched: Watched,
) -> None:
    held: dict[str, list[str]] = {}
    asked: set[str] = set()
    watched.client.timeout = 300
    for ask, answer in largest(watched.client, PART):
        assert answer.is_success, f"{ask.operation}: {answer.text}"
        asked.add(ask.operation)
        if slow := watched.slow():
            held[ask.operation] = slow
    document = watched.client.get("/openapi.json").json()
    assert asked == {str(each) for each in operations(document) if each.body is not None}
    assert held == {}
