"""What a server of OFREP is accepted by, asked as any client may ask it, of two processes.

It knows nothing of the flags but what the server says: it finds them by asking for all of them.
The steps that need one request are in the other files here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from serving import OFREP, Server, serving

FLAGS = "/ofrep/v1/evaluate/flags"
REASONS = {"STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "UNKNOWN"}
UNITS = [f"unit-{number}" for number in range(60)]
VISIBLE_SECONDS = 2.0

Flags = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("acceptance")
    with serving(folder, catalog=OFREP, workers=2) as started:
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as made:
        yield made


def flags_for(client: httpx.Client, unit: str, **headers: str) -> Flags:
    answer = client.post(FLAGS, json=context(unit), headers=headers)
    assert answer.status_code == 200, answer.text
    return {flag["key"]: flag for flag in answer.json()["flags"]}


def context(unit: str) -> dict[str, Any]:
    return {"context": {"targetingKey": unit, "country": "SE", "app": {"version": "1.0"}}}


def variants(client: httpx.Client, key: str) -> dict[str, str]:
    return {unit: flags_for(client, unit)[key]["variant"] for unit in UNITS}


def test_every_answer_has_the_shape_that_every_client_reads(client: httpx.Client) -> None:
    for unit in UNITS[:10]:
        for key, flag in flags_for(client, unit).items():
            assert flag.keys() | {"value"} == {"key", "reason", "variant", "metadata", "value"}
            assert flag["reason"] in REASONS
            assert isinstance(flag["variant"], str)
            assert all(type(each) in (str, int, bool) for each in flag["metadata"].values())
            one = client.post(f"{FLAGS}/{key}", json=context(unit))
            assert (one.status_code, one.json()) == (200, flag)
            assert one.headers["content-type"] == "application/json"


def test_a_unit_is_answered_alike_however_often_and_whoever_asks(
    server: Server, client: httpx.Client
) -> None:
    expected = {unit: flags_for(client, unit) for unit in UNITS[:4]}

    def ask_often(unit: str) -> bool:
        with server.client() as own:
            return all(flags_for(own, unit) == expected[unit] for _ in range(100))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask_often, expected))


def test_units_are_divided(client: httpx.Client) -> None:
    split = {
        key
        for key, flag in flags_for(client, UNITS[0]).items()
        if flag["reason"] == "SPLIT" and len(set(variants(client, key).values())) > 1
    }
    assert {"banner", "title", "attempts"} <= split


def test_no_unit_is_told_that_it_has_what_another_was_sent(client: httpx.Client) -> None:
    tags: dict[str, str] = {}
    for unit in UNITS:
        answer = client.post(FLAGS, json=context(unit))
        tags[unit] = answer.headers["etag"]
    for unit, other in zip(UNITS, reversed(UNITS), strict=True):
        for asked, expected in ((unit, 304), (other, 200)):
            sent = {"if-none-match": tags[asked]}
            assert client.post(FLAGS, json=context(unit), headers=sent).status_code == expected


def test_a_change_is_seen_soon_and_moves_the_units_of_its_flag_alone(
    server: Server, client: httpx.Client
) -> None:
    before = {unit: flags_for(client, unit) for unit in UNITS}
    tag = client.post(FLAGS, json=context(UNITS[0])).headers["etag"]
    weights = {"is": "SetWeights", "experiment": "attempts", "allocation": "1", "total": 100}
    weights["weights"] = [["control", 100], ["many", 0]]
    catalog = client.get("/v1/snapshot").json()["catalog"]
    (allocation,) = catalog["experiments"]["attempts"]["iterations"][-1]["allocations"]
    weights["allocation"] = allocation["key"]
    done = client.post("/v1/commands", content=json.dumps({"commands": [weights]}))
    assert done.status_code == 200, done.text
    revision = done.headers["allotment-revision"]
    begun = time.monotonic()
    while client.post(FLAGS, json=context("a")).headers["allotment-revision"] != revision:
        assert time.monotonic() - begun < VISIBLE_SECONDS
    least = {"allotment-min-revision": revision}
    after = {unit: flags_for(client, unit, **least) for unit in UNITS}
    moved = {
        (unit, key)
        for unit, flags in before.items()
        for key, flag in flags.items()
        if flag["variant"] != after[unit][key]["variant"]
    }
    assert moved
    assert {key for _, key in moved} == {"attempts"}
    assert {after[unit]["attempts"]["variant"] for unit in UNITS} == {"few"}
    # A client compares whole answers: no other flag of any unit seems to have changed.
    for unit, flags in before.items():
        changed = {key for key, flag in flags.items() if flag != after[unit][key]}
        assert changed == {"attempts"}
    sent = {"if-none-match": tag, **least}
    assert client.post(FLAGS, json=context(UNITS[0]), headers=sent).status_code == 200


def test_an_event_is_heeded_by_a_process_that_has_not_heard_of_it(
    server: Server, client: httpx.Client
) -> None:
    """The event may come from one process and the request reach another, which is behind."""
    for number in range(30):
        name = {"is": "Rename", "kind": "flag", "key": "fixed", "name": f"Name {number}"}
        done = client.post("/v1/commands", content=json.dumps({"commands": [name]}))
        assert done.status_code == 200, done.text
        revision = done.headers["allotment-revision"]
        # On a connection of its own, so that either process may take it.
        with server.client() as own:
            answer = own.post(f"{FLAGS}?flagConfigEtag=%22{revision}%22", json=context("a"))
        assert int(answer.headers["allotment-revision"]) >= int(revision)
