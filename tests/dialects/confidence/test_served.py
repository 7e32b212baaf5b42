"""Instances over HTTP: a server in its own process, asked as a script asks it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving import Server, serving
from workspace import INSTANCES, UNITS, arms, every_field, written

CATALOG = """
allotment: 1
flags:
  button: {default: blue, variations: {blue: "#00f", green: "#0f0", red: "#f00"}}
segments:
  nordics: {rules: [{attribute: country, in: [SE]}]}
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text(CATALOG)
    with serving(tmp_path, catalog=catalog) as served:
        yield served


def made(client: httpx.Client, **more: Any) -> Any:
    body = {"displayName": "Greener button", "abtest": {"treatments": arms(2500, 2500)}, **more}
    answer = client.post(f"/v1{INSTANCES}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def move(client: httpx.Client, instance: Any, state: str) -> Any:
    path = f"/v1/{instance['name']}:transition"
    return client.post(path, json={"targetState": state}).raise_for_status().json()


def given(client: httpx.Client) -> dict[str, Any]:
    found = {}
    for unit in UNITS[:100]:
        answer = client.get(f"/v1/assign/greener-button/{unit}").raise_for_status()
        found[unit] = answer.json()["assignments"]["greener-button"]["treatment"]
    return found


def test_every_field_comes_back_also_after_a_restart(server: Server) -> None:
    with server.client() as client:
        answer = client.post(f"/v1{INSTANCES}", json=every_field()).raise_for_status()
    server.restart()
    with server.client() as client:
        shown = client.get(f"/v1/{answer.json()['name']}").raise_for_status().json()
    assert shown == answer.json()
    assert written(shown) == every_field()


def test_the_next_assignment_sees_every_change_and_growing_moves_nobody(server: Server) -> None:
    with server.client() as client:
        draft = made(client)
        assert {*given(client).values()} == {None}
        live = move(client, draft, "live")
        before = given(client)
        assert {*before.values()} == {None, "blue", "green"}
        grown = client.patch(
            f"/v1/{live['name']}?updateMask=abtest.treatments",
            json={"abtest": {"treatments": arms(5000, 5000)}},
        )
        assert grown.status_code == 200, grown.text
        after = given(client)
        assert None not in after.values()
        assert [unit for unit, had in before.items() if had not in (None, after[unit])] == []
        shrunk = client.patch(f"/v1/{live['name']}", json={"abtest": {"treatments": arms(1, 5000)}})
        assert (shrunk.status_code, shrunk.json()["code"]) == (400, 9)
        assert given(client) == after
        move(client, live, "ended")
        assert {*given(client).values()} == {None}


def test_tokens_say_who_may(server: Server) -> None:
    reader, writer = server.token("read"), server.token("write")
    path = f"/v1{INSTANCES}"
    with server.client(token="unknown") as client:
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, 16)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    with server.client(token=reader) as client:
        assert client.get(path).status_code == 200
        answer = client.post(path, json={"displayName": "Not mine"})
        assert (answer.status_code, answer.json()["code"]) == (403, 7)
    with server.client(token=writer) as client:
        made(client)
