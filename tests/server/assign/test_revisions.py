"""An answer is wholly of one revision, and never of an earlier one than the client has seen."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from allotment.change.commands import Command, SetWeights
from allotment.model.plain import to_plain
from serving import SHOP, Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("revisions"), catalog=SHOP) as server:
        yield server


def everyone_gets(treatment: str) -> list[Command]:
    """Both experiments at once give everyone this one."""
    checkout = {"control": 0, "green": 0} | {treatment: 1}
    kept = {"control": 0, "new": 0} | {{"control": "control", "green": "new"}[treatment]: 1}
    return [
        SetWeights("checkout", "everyone", tuple(checkout.items()), 1),
        SetWeights("plain", "everyone", tuple(kept.items()), 1),
    ]


def change(client: httpx.Client, treatment: str) -> int:
    commands = [to_plain(command) for command in everyone_gets(treatment)]
    answer = client.post("/v1/commands", json={"commands": commands})
    assert answer.status_code == 200, answer.text[:300]
    return int(answer.json()["revision"])


def slow_lines(units: int, begun: threading.Event) -> Iterator[bytes]:
    """A body that is still being sent while the catalog changes."""
    for number in range(units):
        yield b'{"unit":"unit-%d","attributes":{"country":"SE"}}\n' % number
        if number % 100 == 0:
            begun.set()


def test_a_batch_is_of_one_revision_while_a_hundred_are_published(server: Server) -> None:
    with server.client() as client:
        change(client, "control")
    begun, done = threading.Event(), threading.Event()

    def publish() -> None:
        with server.client() as client:
            begun.wait()
            for number in range(100):
                change(client, ("green", "control")[number % 2])
            done.set()

    publisher = threading.Thread(target=publish)
    publisher.start()
    seen = set()
    try:
        with server.client() as client:
            while not done.is_set():
                answer = client.post(
                    "/v1/assign/batch",
                    content=slow_lines(4_000, begun),
                    headers={"content-type": "application/x-ndjson"},
                    params={"experiment": ["checkout", "plain"]},
                )
                seen.add(int(answer.headers["allotment-revision"]))
                outcomes = {
                    tuple(each["treatment"] for each in json.loads(line)["assignments"].values())
                    for line in answer.content.splitlines()
                }
                assert len(outcomes) == 1, f"a batch of {len(outcomes)} revisions"
                assert outcomes <= {("control", "control"), ("green", "new")}
    finally:
        begun.set()
        publisher.join()
    assert len(seen) > 1


def test_a_single_call_is_of_one_revision_while_others_are_published(server: Server) -> None:
    done = threading.Event()

    def publish() -> None:
        with server.client() as client:
            for number in range(100):
                change(client, ("green", "control")[number % 2])
        done.set()

    publisher = threading.Thread(target=publish)
    publisher.start()
    asked = {"unit": "a", "attributes": {"country": "SE"}, "experiments": ["checkout", "plain"]}
    last = 0
    with server.client() as client:
        while not done.is_set():
            answer = client.post("/v1/assign", json=asked)
            revision = int(answer.headers["allotment-revision"])
            assert revision == answer.json()["revision"] >= last
            last = revision
            given = [each["treatment"] for each in answer.json()["assignments"].values()]
            assert given in (["control", "control"], ["green", "new"])
    publisher.join()


def test_the_next_call_sees_a_change(server: Server) -> None:
    asked: dict[str, Any] = {"unit": "a", "attributes": {"country": "SE"}, "experiment": "checkout"}
    with server.client() as writer, server.client() as client:
        for number in range(20):
            treatment = ("green", "control")[number % 2]
            revision = change(writer, treatment)
            answer = client.post("/v1/assign", json=asked).json()
            assert answer["revision"] == revision
            assert answer["assignments"]["checkout"]["treatment"] == treatment


def test_no_answer_is_of_an_earlier_revision_than_is_asked_for(
    server: Server, tmp_path: Path
) -> None:
    """Two servers over one store: the second looks at it once a minute."""
    patient = {"ALLOTMENT_POLL_MS": "60000", "ALLOTMENT_LAST_GOOD": str(tmp_path / "lastgood")}
    with (
        serving(tmp_path, database_url=server.database, env=patient) as other,
        server.client() as writer,
        other.client() as client,
    ):
        asked = {"unit": "a", "attributes": {"country": "SE"}, "experiment": "checkout"}
        for number in range(5):
            treatment = ("green", "control")[number % 2]
            revision = change(writer, treatment)
            headers = {"allotment-min-revision": str(revision)}
            for path, body in (
                ("/v1/assign", asked),
                ("/v1/resolve", {"unit": "a"}),
                ("/v1/explain", {"unit": "a", "experiment": "checkout"}),
                ("/v1/assign/batch", {"units": ["a"]}),
            ):
                answer = client.post(path, json=body, headers=headers)
                assert answer.status_code == 200, answer.text[:300]
                assert int(answer.headers["allotment-revision"]) >= revision, path
            got = client.get("/v1/assign/checkout/a", headers=headers)
            assert got.json()["revision"] >= revision
        ahead = {"allotment-min-revision": str(revision + 1)}
        assert client.post("/v1/assign", json=asked, headers=ahead).status_code == 412
