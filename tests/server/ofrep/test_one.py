"""One flag over OFREP: `POST /ofrep/v1/evaluate/flags/{key}`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from allotment.engine import Engine
from allotment.model.assignment import Assignment

FLAGS = "/ofrep/v1/evaluate/flags"
UNITS = [f"unit-{number}" for number in range(40)]


def evaluate(client: httpx.Client, key: str, **context: Any) -> httpx.Response:
    return client.post(f"{FLAGS}/{key}", json={"context": context})


def test_a_flag_evaluates_to_what_it_resolves_to(client: httpx.Client, engine: Engine) -> None:
    seen = set()
    for unit in UNITS:
        answer = evaluate(client, "title", targetingKey=unit, country="SE")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        expected = engine.resolve("title", unit, {"country": "SE"})
        given = engine.assign("title", unit, {"country": "SE"})
        assert isinstance(given, Assignment)
        assert answer.json() == {
            "key": "title",
            "value": expected.value,
            "variant": expected.variation,
            "reason": "SPLIT",
            "metadata": {
                "experiment": "title",
                "treatment": given.treatment,
                "iteration": 1,
                "reason": "ALLOCATED",
                "revision": 1,
            },
        }
        seen.add(expected.variation)
    assert seen == {"plain", "warm"}


@pytest.mark.parametrize(
    ("key", "context", "reason", "ours"),
    [
        ("banner", {"targetingKey": "the-boss"}, "TARGETING_MATCH", "OVERRIDE"),
        ("title", {"targetingKey": "a", "country": "FR"}, "STATIC", "NOT_IN_AUDIENCE"),
        ("fixed", {}, "STATIC", None),
        ("fixed", {"targetingKey": "a"}, "STATIC", None),
        ("switched-off", {"targetingKey": "a"}, "DISABLED", "INACTIVE"),
        ("not-begun", {"targetingKey": "a"}, "STATIC", "INACTIVE"),
    ],
)
def test_a_reason_is_one_of_the_protocol_s_and_ours_stands_beside_it(
    client: httpx.Client, key: str, context: dict[str, str], reason: str, ours: str | None
) -> None:
    answer = evaluate(client, key, **context).json()
    assert (answer["reason"], answer["metadata"].get("reason")) == (reason, ours)
    assert all(isinstance(each, str | int) for each in answer["metadata"].values())
    assert answer["metadata"]["revision"] == 1


def test_a_number_has_a_point_where_a_number_of_the_flag_has_one(client: httpx.Client) -> None:
    """Clients of typed languages take `1` for an integer, and refuse it as a float."""
    written = {evaluate(client, "ratio", targetingKey=unit).text for unit in UNITS}
    assert {text.partition('"value":')[2] for text in written} == {"1.0}", "0.5}"}
    written = {evaluate(client, "attempts", targetingKey=unit).text for unit in UNITS}
    assert {text.partition('"value":')[2] for text in written} == {"3}", "5}"}


def test_a_flag_without_a_value_of_its_own_leaves_it_to_the_client(client: httpx.Client) -> None:
    answer = evaluate(client, "own-default", targetingKey="a").json()
    assert "value" not in answer
    assert (answer["variant"], answer["reason"]) == ("none", "STATIC")


def test_objects_are_sent_as_they_are(client: httpx.Client) -> None:
    values = [evaluate(client, "box", targetingKey=unit).json()["value"] for unit in UNITS]
    assert {json.dumps(each) for each in values} == {
        '{"width": 100, "sizes": [1, 2.5]}',
        '{"width": 400, "sizes": []}',
    }


def test_the_targeting_key_is_the_unit_of_whatever_kind_is_randomised(
    client: httpx.Client, engine: Engine
) -> None:
    for unit in UNITS:
        answer = evaluate(client, "by-device", targetingKey=unit).json()
        assert answer["variant"] == engine.resolve("by-device", unit).variation


def test_targeting_keys_name_a_unit_of_each_kind(client: httpx.Client, engine: Engine) -> None:
    for unit in UNITS:
        units: dict[str, str | int] = {"device": unit, "user": 7}
        context = {"targetingKey": "someone", "targetingKeys": units}
        answer = evaluate(client, "by-device", **context).json()
        assert answer["variant"] == engine.resolve("by-device", units).variation
        answer = evaluate(client, "banner", **context).json()
        assert answer["variant"] == engine.resolve("banner", units).variation


def test_the_first_experiment_of_several_that_gives_a_treatment_wins(
    client: httpx.Client, engine: Engine
) -> None:
    for country in ("SE", "FR"):
        for unit in UNITS:
            answer = evaluate(client, "of-two", targetingKey=unit, country=country).json()
            expected = engine.resolve("of-two", unit, {"country": country})
            assert answer["variant"] == expected.variation
            assert answer["metadata"].get("experiment") == expected.experiment


@pytest.mark.parametrize(
    "body", [b"{}", b'{"context":{}}', b'{"context":{"targetingKey":""}}', b'{"context":{"a":1}}']
)
def test_a_unit_is_missed_where_an_experiment_needs_one(client: httpx.Client, body: bytes) -> None:
    answer = client.post(f"{FLAGS}/banner", content=body)
    assert answer.status_code == 400
    assert answer.json().keys() == {"key", "errorCode", "errorDetails"}
    assert answer.json()["key"] == "banner"
    assert answer.json()["errorCode"] == "TARGETING_KEY_MISSING"
    for without in ("fixed", "not-begun", "own-default"):
        assert client.post(f"{FLAGS}/{without}", content=body).status_code == 200


def test_a_unit_of_another_kind_is_none(client: httpx.Client) -> None:
    answer = evaluate(client, "by-device", targetingKey="a", targetingKeys={"user": "a"})
    assert answer.json()["errorCode"] == "TARGETING_KEY_MISSING"
    assert "'by-device'" in answer.json()["errorDetails"]


@pytest.mark.parametrize("key", ["nothing", "flagga-å", "a b", "%", "日本語", "x" * 300])
def test_a_flag_that_is_not_there_is_not_found(client: httpx.Client, key: str) -> None:
    answer = client.post(f"{FLAGS}/{quote(key, safe='')}", json={})
    assert answer.status_code == 404
    assert answer.json() == {
        "key": key,
        "errorCode": "FLAG_NOT_FOUND",
        "errorDetails": "there is no such flag",
    }


MALFORMED = {
    "nothing": (b"", "PARSE_ERROR"),
    "no JSON": (b"{", "PARSE_ERROR"),
    "a list": (b"[]", "PARSE_ERROR"),
    "a text": (b'"a"', "PARSE_ERROR"),
    "another member": (b'{"contexts":{}}', "PARSE_ERROR"),
    "not UTF-8": (b'{"context":{"a":"\xff"}}', "PARSE_ERROR"),
    "a context of null": (b'{"context":null}', "INVALID_CONTEXT"),
    "a context of a list": (b'{"context":[]}', "INVALID_CONTEXT"),
    "a context of a text": (b'{"context":"a"}', "INVALID_CONTEXT"),
    "a key of a number": (b'{"context":{"targetingKey":7}}', "INVALID_CONTEXT"),
    "a key of null": (b'{"context":{"targetingKey":null}}', "INVALID_CONTEXT"),
    "a key too long": (b'{"context":{"targetingKey":"%b"}}' % (b"a" * 1025), "INVALID_CONTEXT"),
    "keys of a list": (b'{"context":{"targetingKeys":["a"]}}', "INVALID_CONTEXT"),
    "keys of truth": (b'{"context":{"targetingKeys":{"user":true}}}', "INVALID_CONTEXT"),
    "too deep": (b'{"context":{"a":%b%b}}' % (b"[" * 40, b"]" * 40), "INVALID_CONTEXT"),
    "too large": (b'{"context":{"a":"%b"}}' % (b"a" * 70_000), "INVALID_CONTEXT"),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_malformed_is_refused_in_the_shape_of_the_protocol(
    client: httpx.Client, what: str
) -> None:
    body, code = MALFORMED[what]
    answer = client.post(f"{FLAGS}/banner", content=body)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"key", "errorCode", "errorDetails"}
    assert (answer.json()["key"], answer.json()["errorCode"]) == ("banner", code)
    answer = client.post(FLAGS, content=body)
    assert answer.status_code == 400
    assert answer.json().keys() == {"errorCode", "errorDetails"}
    assert answer.json()["errorCode"] == code


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", [FLAGS, f"{FLAGS}/banner"])
def test_another_method_is_refused(client: httpx.Client, path: str, method: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["errorCode"] == "GENERAL"


@pytest.mark.parametrize(
    "path", ["/ofrep/v1/configuration", "/ofrep/", f"{FLAGS}/", f"{FLAGS}/a/b", "/projects/a"]
)
def test_nothing_else_is_there(client: httpx.Client, path: str) -> None:
    answer = client.post(path, json={})
    assert answer.status_code == 404
    assert answer.json().keys() == {"errorCode", "errorDetails"}


def test_a_body_too_large_is_refused_in_the_shape_of_the_protocol(client: httpx.Client) -> None:
    answer = client.post(f"{FLAGS}/banner", content=b" " * (1 << 20) + b"{}")
    assert answer.status_code == 413
    assert answer.json().keys() == {"key", "errorCode", "errorDetails"}


def test_a_query_that_is_not_known_is_refused(client: httpx.Client) -> None:
    answer = client.post(f"{FLAGS}/banner?more=1", json={"context": {"targetingKey": "a"}})
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "GENERAL")
