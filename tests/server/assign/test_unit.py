"""One unit: `/v1/assign`, `/v1/assign/{experiment}/{unit}`, `/v1/resolve`."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from allotment.engine import Engine
from allotment.model.assignment import Assignment
from serving import serving

SWEDEN = {"country": "SE", "app": {"version": "2.1.0"}}


def plain(given: object) -> dict[str, Any]:
    assert isinstance(given, Assignment)
    return {
        "treatment": given.treatment,
        "reason": given.reason.value,
        "variations": dict(given.variations),
        "is_control": given.is_control,
        "iteration": given.iteration,
        "revision": given.revision,
        "to_keep": given.to_keep,
    }


def assigned(client: httpx.Client, **asked: Any) -> dict[str, Any]:
    answer = client.post("/v1/assign", json=asked)
    assert answer.status_code == 200, answer.text[:300]
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["allotment-revision"]) == answer.json()["revision"]
    assignments: dict[str, Any] = answer.json()["assignments"]
    return assignments


def test_a_unit_is_assigned_in_all_experiments(client: httpx.Client, engine: Engine) -> None:
    expected = {key: plain(each) for key, each in engine.assign_all("a", SWEDEN).items()}
    assert assigned(client, unit="a", attributes=SWEDEN) == expected
    assert {each["reason"] for each in expected.values()} == {"ALLOCATED", "PAUSED"}


def test_an_engine_has_the_servers_json_ready(client: httpx.Client, engine: Engine) -> None:
    for unit, known in (("a", SWEDEN), ("b", {}), ("", SWEDEN), ("a", SWEDEN)):
        answer = client.post("/v1/assign", json={"unit": unit, "attributes": known})
        ready = engine.assign_all_json(unit, known)
        assert answer.content.endswith(b'"assignments":%b}' % ready)


def test_a_unit_is_assigned_in_some_experiments(client: httpx.Client, engine: Engine) -> None:
    asked = ["plain", "checkout", "plain"]
    expected = {key: plain(engine.assign(key, "a", SWEDEN)) for key in asked}
    given = assigned(client, unit="a", attributes=SWEDEN, experiments=asked)
    assert given == expected
    assert list(given) == ["plain", "checkout"]


def test_a_unit_is_assigned_in_one_experiment(client: httpx.Client, engine: Engine) -> None:
    expected = {"checkout": plain(engine.assign("checkout", "a", SWEDEN))}
    assert assigned(client, unit="a", attributes=SWEDEN, experiment="checkout") == expected


def test_no_experiments_are_no_assignments(client: httpx.Client) -> None:
    assert assigned(client, unit="a", experiments=[]) == {}


def test_an_unknown_experiment_says_so(client: httpx.Client) -> None:
    for name in ("nope", "", "ä" * 500, "checkout\0", '"\\'):
        given = assigned(client, unit="a", experiment=name)
        assert given[name]["reason"] == "UNKNOWN_EXPERIMENT"
        assert given[name]["treatment"] is None


@pytest.mark.parametrize("unit", ["", "u" * 1025, {}, {"person": "a"}, {"user": ""}, 10**1024])
def test_what_can_be_no_unit_says_so(client: httpx.Client, unit: object) -> None:
    given = assigned(client, unit=unit, attributes=SWEDEN, experiment="checkout")
    assert given["checkout"]["reason"] == "NO_UNIT"


@pytest.mark.parametrize("unit", ["u" * 1024, 17, "17", 0, -5, 2**70, "ä€😀\0", " a", {"user": 7}])
def test_units_are_what_the_engine_takes_them_for(
    client: httpx.Client, engine: Engine, unit: Any
) -> None:
    expected = plain(engine.assign("checkout", unit, SWEDEN))
    given = assigned(client, unit=unit, attributes=SWEDEN, experiment="checkout")
    assert given["checkout"] == expected
    assert expected["reason"] == "ALLOCATED"


def test_a_unit_of_several_kinds_is_of_each_kind_what_its_key_is(
    client: httpx.Client, engine: Engine
) -> None:
    unit = {"user": "a", "device": "d-9"}
    given = assigned(client, unit=unit, attributes=SWEDEN)
    assert given["by-device"] == plain(engine.assign("by-device", "d-9", SWEDEN))
    assert given["checkout"] == plain(engine.assign("checkout", "a", SWEDEN))


def test_a_treatment_that_the_client_keeps_is_given_again(client: httpx.Client) -> None:
    for asked in ({"experiment": "paused"}, {"experiments": ["paused", "checkout"]}, {}):
        stored = {"paused": "other", "gone": "x"}
        given = assigned(client, unit="a", stored=stored, **asked)["paused"]
        assert (given["treatment"], given["reason"]) == ("other", "STICKY")
        assert not given["to_keep"]


@pytest.mark.parametrize("unit", ["a", "a/b", "/", "%", "ä€😀", "a b", "a+b", "?&=#", "\0", "17"])
def test_the_address_of_a_unit_is_read_exactly(
    client: httpx.Client, engine: Engine, unit: str
) -> None:
    query = quote('{"country":"SE"}')
    answer = client.get(f"/v1/assign/checkout/{quote(unit, safe='')}?attributes={query}")
    assert answer.status_code == 200, answer.text[:300]
    expected = {"checkout": plain(engine.assign("checkout", unit, {"country": "SE"}))}
    assert answer.json()["assignments"] == expected


def test_attributes_in_the_query_are_a_json_object(client: httpx.Client, engine: Engine) -> None:
    for text in ('{"country":"SE"}', ' { "country" : "SE" } ', '{"country":"S\\u0045"}'):
        answer = client.get("/v1/assign/checkout/a", params={"attributes": text})
        assert answer.json()["assignments"]["checkout"]["reason"] == "ALLOCATED", text
    assert engine.assign("checkout", "a").reason == "NOT_IN_AUDIENCE"  # type: ignore[attr-defined]


def test_head_answers_as_get_does_but_for_the_body(client: httpx.Client) -> None:
    got = client.get("/v1/assign/checkout/a")
    head = client.head("/v1/assign/checkout/a")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == got.headers["content-length"]


@pytest.mark.parametrize(
    "target",
    [
        "/v1/assign/checkout/%FF",
        "/v1/assign/checkout/%ED%A0%80",
        "/v1/assign/checkout/a%",
        "/v1/assign/checkout/a%0",
        "/v1/assign/%C0%AF/a",
        "/v1/assign/checkout/",
        "/v1/assign//a",
        "/v1/assign/checkout/a?attributes=",
        "/v1/assign/checkout/a?attributes=[]",
        "/v1/assign/checkout/a?attributes=NaN",
        '/v1/assign/checkout/a?attributes={"a":NaN}',
        '/v1/assign/checkout/a?attributes={"a":"%FF"}',
        '/v1/assign/checkout/a?attributes={"a":"\\ud800"}',
        "/v1/assign/checkout/a?attributes={}&attributes={}",
        "/v1/assign/checkout/a?attribute={}",
        "/v1/assign/checkout/a?country=SE",
        "/v1/assign/checkout/a?",
    ],
)
def test_an_address_is_refused_and_never_repaired(client: httpx.Client, target: str) -> None:
    url = client.base_url.copy_with(raw_path=target.encode())
    answer = client.get(url)
    if target.endswith("?"):
        assert answer.status_code == 200  # an empty query is none
        return
    assert answer.status_code == 400, answer.text[:300]
    assert answer.json()["path"].partition(".")[0] in ("path", "query")


def test_flags_resolve_to_their_values(client: httpx.Client, engine: Engine) -> None:
    for unit in ("a", "b", "the-boss", "", 17, {"user": "a"}):
        answer = client.post("/v1/resolve", json={"unit": unit, "attributes": SWEDEN})
        found = answer.json()["resolutions"]
        assert set(found) == {"button", "lonely"}
        for flag, given in found.items():
            expected = engine.resolve(flag, unit, SWEDEN)  # type: ignore[arg-type]
            assert given["value"] == expected.value
            assert given["variation"] == expected.variation
            assert given["experiment"] == expected.experiment
            assert given["reason"] == expected.reason


def test_a_resolution_says_whose_treatment_it_is(client: httpx.Client) -> None:
    asked = {"unit": "the-boss", "flags": ["button", "gone"]}
    found = client.post("/v1/resolve", json=asked).json()["resolutions"]
    assert found["button"] == {
        "value": {"colour": "#0f0", "sizes": [1, 2.5]},
        "variation": "green",
        "experiment": "checkout",
        "treatment": "green",
        "reason": "OVERRIDE",
    }
    assert set(found["gone"].values()) == {None}


def test_a_flag_without_experiments_needs_no_unit(client: httpx.Client) -> None:
    answer = client.post("/v1/resolve", json={"flag": "lonely"})
    with_unit = client.post("/v1/resolve", json={"unit": "a", "flag": "lonely"})
    assert answer.status_code == 200
    assert answer.json() == with_unit.json()


def test_without_a_unit_a_flag_has_the_value_of_no_unit(client: httpx.Client) -> None:
    without = client.post("/v1/resolve", json={}).json()
    assert without == client.post("/v1/resolve", json={"unit": {}}).json()
    assert len(without["resolutions"]) > 1


def test_one_flag_is_resolved_by_its_name(client: httpx.Client) -> None:
    answer = client.post("/v1/resolve", json={"unit": "a", "flag": "lonely"})
    assert answer.json()["resolutions"] == {
        "lonely": {
            "value": 0,
            "variation": "none",
            "experiment": None,
            "treatment": None,
            "reason": None,
        }
    }


def test_other_methods_and_paths_are_refused(client: httpx.Client) -> None:
    for path in ("/v1/assign", "/v1/assign/batch", "/v1/resolve", "/v1/explain"):
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            answer = client.request(method, path)
            assert answer.status_code == 405, (method, path)
            assert answer.headers["allow"] == "POST"
    assert client.post("/v1/assign/checkout/a").headers["allow"] == "GET, HEAD"
    for path in ("/v1/assign/", "/v1/assign/a", "/v1/assign/a/b/c", "/v1/assignments"):
        assert client.get(path).status_code in (400, 404), path


def test_a_token_of_scope_assign_is_all_it_takes(tmp_path: Path) -> None:
    with serving(tmp_path, insecure_local=False) as server, server.client() as client:
        token = server.token("assign")
        for path in ("/v1/assign", "/v1/resolve", "/v1/explain", "/v1/assign/batch"):
            assert client.post(path, json={}).status_code == 401
        for header in (f"Bearer {token}", token):
            answer = client.get("/v1/assign/a/b", headers={"authorization": header})
            assert answer.status_code == 200
        wrong = client.get("/v1/assign/a/b", headers={"authorization": "Bearer nobody"})
        assert wrong.status_code == 401
        assert wrong.headers["www-authenticate"].startswith("Bearer")
