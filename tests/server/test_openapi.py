"""The OpenAPI document: valid, complete, and what is answered is what it says."""

import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from openapi_spec_validator import validate

import allotment
from allotment.change.commands import Create, DraftIteration, Keep, Reserve
from allotment.model.experiment import State
from allotment.model.layer import Holdout, Layer
from allotment.model.plain import to_plain
from allotment.model.segment import AllOf, AnyOf, Clause, InSegment, Not, Operator, Segment
from allotment.server.settings import Settings
from nouns import FLAG, experiment, iteration
from server.nodes import calling, running

pytestmark = pytest.mark.anyio

METHODS = {"get", "put", "post", "patch", "delete"}

COMMANDS = (
    Create(FLAG),
    Create(Layer("page", "")),
    Create(Holdout("few", "", 50_000)),
    Create(Segment("se", rules=(Clause(("country",), Operator.IN, ("SE", 1, 1.5, True)),))),
    Create(Segment("no", rules=(AllOf((Not(InSegment("se")), AnyOf(()))),))),
    Create(experiment("checkout")),
    Reserve("page", "checkout", 200_000),
    DraftIteration("checkout", iteration(State.DRAFT)),
    Keep("flag", "button", "a/b", "1"),
)


@pytest.fixture
def database(tmp_path: Path) -> str:
    """Any database will do."""
    return str(tmp_path / "allotment.db")


@pytest.fixture
async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/openapi.json")).json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, said)
        for path, item in document["paths"].items()
        for method, said in item.items()
        if method in METHODS
    ]


async def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"].startswith("3.1")


async def test_every_operation_says_all_there_is_to_say(document: dict[str, Any]) -> None:
    names = []
    for path, method, said in operations(document):
        where = f"{method} {path}"
        names.append(said["operationId"])
        assert said["summary"], where
        assert said["x-allotment-scope"] in {"none", "assign", "read", "write", "admin"}, where
        open_to_all = said["x-allotment-scope"] == "none"
        by_header = not open_to_all and "x-allotment-secret" not in said
        assert said["security"] == ([{"token": []}] if by_header else []), where
        statuses = {int(status) for status in said["responses"]}
        assert any(200 <= status < 300 for status in statuses), where
        assert open_to_all or {400, 401, 403, 503} <= statuses, where
        in_path = {p["name"] for p in said.get("parameters", ()) if p.get("in") == "path"}
        assert all(f"{{{name}}}" in path for name in in_path), where
        assert path.count("{") == len(in_path), where
        if method in {"put", "patch"}:
            assert "requestBody" in said, where
    assert len(set(names)) == len(names)


async def test_nothing_of_the_framework_shows(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    assert "HTTPValidationError" not in text
    assert "Successful Response" not in text


async def test_the_paths_that_are_promised_are_there(document: dict[str, Any]) -> None:
    there = {(path, method) for path, method, _ in operations(document)}
    kinds = ("flags", "segments", "layers", "holdouts", "experiments")
    for kind in kinds:
        assert (f"/v1/catalog/{kind}", "get") in there
        assert {(f"/v1/catalog/{kind}/{{key}}", m) for m in ("get", "put", "delete")} <= there
    assert {
        ("/v1/snapshot", "get"),
        ("/v1/commands", "post"),
        ("/v1/journal", "get"),
        ("/v1/spaces", "post"),
        ("/v1/tokens/{id}", "delete"),
        ("/v1/assign", "post"),
        ("/v1/assign/{experiment}/{unit}", "get"),
        ("/v1/assign/batch", "post"),
        ("/v1/resolve", "post"),
        ("/v1/explain", "post"),
        ("/api/v2/experimentation/experiments/{id}", "patch"),
        *((path, "get") for path in ("/", "/healthz", "/readyz", "/version", "/metrics", "/docs")),
    } <= there


async def test_what_is_answered_fits_the_schemas(
    client: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    """A catalog with all there is in one: every answer is one that the document describes."""
    body = {"commands": [to_plain(command) for command in COMMANDS]}
    requests = [("post", "/v1/commands", "/v1/commands", body)]
    for kind, key in (
        ("flag", "button"),
        ("layer", "page"),
        ("holdout", "few"),
        ("segment", "no"),
        ("experiment", "checkout"),
    ):
        requests.append(("get", f"/v1/catalog/{kind}s/{key}", f"/v1/catalog/{kind}s/{{key}}", None))
        requests.append(("get", f"/v1/catalog/{kind}s", f"/v1/catalog/{kind}s", None))
    token = {"scope": "read", "days": 1}
    requests += [
        ("get", "/v1/snapshot", "/v1/snapshot", None),
        ("get", "/v1/journal", "/v1/journal", None),
        ("post", "/v1/spaces", "/v1/spaces", {"name": "default/staging"}),
        ("get", "/v1/spaces", "/v1/spaces", None),
        ("get", "/readyz", "/readyz", None),
        ("get", "/version", "/version", None),
        ("get", "/v1/catalog/flags/none", "/v1/catalog/flags/{key}", None),
        ("post", "/v1/tokens", "/v1/tokens", token),
    ]
    for method, url, path, sent in requests:
        said = document["paths"][path][method]
        if sent is not None:
            check(document, said["requestBody"]["content"]["application/json"]["schema"], sent)
        answer = await client.request(method, url, json=sent)
        described = said["responses"][str(answer.status_code)]
        if "$ref" in described:
            described = document["components"]["responses"]["Problem"]
        kind = answer.headers["content-type"]
        check(document, described["content"][kind]["schema"], answer.json())


async def test_a_body_that_does_not_fit_its_schema_is_refused(
    client: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    schema = document["components"]["schemas"]["Command"]
    for plain in (
        {"is": "Rename", "kind": "flag", "key": "x"},
        {"is": "Rename", "kind": "flag", "key": "x", "name": 1},
        {"is": "Explode"},
        {"is": "Delete", "kind": "flag", "key": "x", "more": 1},
    ):
        with pytest.raises(jsonschema.ValidationError):
            check(document, schema, plain)
        assert (await client.post("/v1/commands", json={"commands": [plain]})).status_code == 400


async def test_the_page_for_people_has_every_operation_and_loads_nothing(
    client: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    answer = await client.get("/docs")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    for path, method, _ in operations(document):
        assert f"<b>{method.upper()}</b> {path}" in answer.text
    assert "<script" not in answer.text
    assert "//" not in answer.text.replace("://", "").partition("<h2>")[0]


async def test_the_root_leads_to_what_there_is(
    client: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    shown = (await client.get("/")).json()
    assert shown["allotment"] == allotment.__version__
    assert {"/docs", "/openapi.json", "/v1/assign"} <= set(shown["paths"]) <= set(document["paths"])


async def test_the_description_of_the_api_can_be_closed(database: str) -> None:
    async with running(database) as node, calling(node, Settings(docs=False)) as client:
        for path in ("/docs", "/openapi.json"):
            assert (await client.get(path)).status_code == 404
        shown = (await client.get("/")).json()["paths"]
        assert not {"/docs", "/openapi.json"} & set(shown)
        assert (await client.get("/version")).status_code == 200


def check(document: dict[str, Any], schema: dict[str, Any], instance: object) -> None:
    whole = {**schema, "components": document["components"]}
    jsonschema.Draft202012Validator(whole).validate(instance)
