"""What the document says of the assignment paths is what they answer."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

UNIT = {"unit": "a", "attributes": {"country": "SE"}}
ASKED = {
    "/v1/assign": (
        {},
        {"experiment": "plain"},
        {"experiments": ["gone"]},
        {"stored": {"paused": "other"}},
    ),
    "/v1/resolve": ({}, {"flag": "button"}, {"flags": ["lonely", "gone"]}),
    "/v1/explain": ({"experiment": "checkout"}, {"experiment": "paused", "stored": "other"}),
}


@pytest.fixture(scope="module")
def document(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def holds(document: dict[str, Any], schema: dict[str, Any], value: object) -> bool:
    whole = {**schema, "components": document["components"]}
    return Draft202012Validator(whole).is_valid(value)


def of(document: dict[str, Any], path: str, part: str) -> dict[str, Any]:
    """The schema of a path's request or answer."""
    operation = next(iter(document["paths"][path].values()))
    where = operation["requestBody"] if part == "request" else operation["responses"]["200"]
    schema: dict[str, Any] = where["content"]["application/json"]["schema"]
    return schema


@pytest.mark.parametrize("path", ASKED)
def test_requests_and_answers_are_as_documented(
    client: httpx.Client, document: dict[str, Any], path: str
) -> None:
    for more in ASKED[path]:
        asked = {**UNIT, **more}
        assert holds(document, of(document, path, "request"), asked)
        answer = client.post(path, json=asked)
        assert answer.status_code == 200
        assert holds(document, of(document, path, "answer"), answer.json())


def test_a_batch_is_as_documented(client: httpx.Client, document: dict[str, Any]) -> None:
    path = "/v1/assign/batch"
    for asked in (
        {"units": []},
        {"units": ["a", 1, None, {"user": "a"}, 1.5]},
        {"units": ["a", "b"], "attributes": [{"country": "SE"}, None], "experiments": ["plain"]},
        {"units": ["a", "b"], "attributes": {"country": ["SE", None]}},
    ):
        assert holds(document, of(document, path, "request"), asked)
        answer = client.post(path, json=asked)
        assert answer.status_code == 200
        assert holds(document, of(document, path, "answer"), answer.json())
    lines = {"content-type": "application/x-ndjson", "accept": "application/json"}
    answer = client.post(path, content=b'{"unit":"a"}\n{\n', headers=lines)
    assert holds(document, of(document, path, "answer"), answer.json())


def test_a_unit_that_is_none_is_shown_as_the_document_has_it(
    client: httpx.Client, document: dict[str, Any]
) -> None:
    path, none = "/v1/assign/batch", [{"user": ["", -7117]}, {"user": None}, {"user": 1.5}, [], 1.5]
    answer = client.post(path, json={"units": [*none, {"user": 7}], "experiments": []})
    assert holds(document, of(document, path, "answer"), answer.json())
    shown = [each["unit"] for each in answer.json()["units"]]
    assert shown == [{"user": None}] * 3 + [None] * 2 + [{"user": 7}]


def test_what_is_refused_is_documented_as_wrong(
    client: httpx.Client, document: dict[str, Any]
) -> None:
    for path, asked in (
        ("/v1/assign", {"unit": 1.5}),
        ("/v1/assign", {"unit": "a", "more": 1}),
        ("/v1/assign", {"unit": "a", "experiment": "a", "experiments": []}),
        ("/v1/assign", {"unit": "a", "experiment": None}),
        ("/v1/resolve", {"unit": "a", "flag": "a", "flags": []}),
        ("/v1/explain", {"unit": "a"}),
        ("/v1/explain", {"unit": "a", "experiment": "plain", "revision": 0}),
        ("/v1/assign/batch", {"units": "a"}),
        ("/v1/assign/batch", {"units": [], "attributes": "a"}),
    ):
        assert not holds(document, of(document, path, "request"), asked), asked
        assert client.post(path, json=asked).status_code == 400, asked


def test_every_assignment_path_needs_the_scope_assign(document: dict[str, Any]) -> None:
    paths = [path for path in document["paths"] if path.startswith(("/v1/assign", *ASKED))]
    assert len(paths) == 5
    for path in paths:
        for operation in document["paths"][path].values():
            assert operation["x-allotment-scope"] == "assign"
            assert {"400", "401", "403", "412", "503"} <= set(operation["responses"])
