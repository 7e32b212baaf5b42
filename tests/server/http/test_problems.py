"""What is refused, and how: RFC 9457 on native paths, nothing of what we have inside."""

import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

from allotment.errors import (
    AllotmentError,
    Conflict,
    InvalidInput,
    Overloaded,
    StoreError,
    StoreFull,
    Unauthorized,
)
from allotment.server.http.problems import answer_error
from allotment.server.sync.node import Node
from server.nodes import calling

pytestmark = pytest.mark.anyio


@pytest.fixture
def database(tmp_path: Path) -> str:
    """Any database will do."""
    return str(tmp_path / "allotment.db")


async def test_a_problem_has_the_fields_of_rfc_9457_and_a_request_id(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/v1/catalog/flags/none")
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "instance", "code", "request_id"} <= problem.keys()
    assert problem["type"] == "urn:allotment:problem:not_found"
    assert (problem["status"], problem["title"]) == (404, "Not Found")
    assert problem["instance"] == "/v1/catalog/flags/none"
    again = (await client.get("/v1/catalog/flags/none")).json()
    assert again["request_id"] != problem["request_id"]


async def test_paths_and_methods_that_are_not_there_are_problems_too(
    client: httpx.AsyncClient,
) -> None:
    flags = "/v1/catalog/flags"
    for path in ("/v1", f"{flags}/", f"{flags}/a/b", "/v2/flags", "/docs/", "/openapi.yaml"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_path"), path
    answer = await client.patch("/v1/catalog/flags/x")
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, HEAD, PUT")
    answer = await client.request("BREW", "/v1/commands")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert (await client.options("/v1/catalog/flags")).status_code == 405


async def test_head_is_get_without_the_body(client: httpx.AsyncClient) -> None:
    for path in ("/v1/catalog/flags", "/healthz", "/v1/snapshot", "/v1/catalog/flags/none"):
        got, head = await client.get(path), await client.head(path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        if got.status_code == 200:
            assert head.headers["content-length"] == got.headers["content-length"]


async def test_a_target_that_is_not_utf_8_is_refused_and_never_another_one(
    client: httpx.AsyncClient,
) -> None:
    flags = b"/v1/catalog/flags"
    for target in (flags + b"/%FF", flags + b"/%ED%A0%80", flags + b"?after=%C3%28", b"/%zz"):
        url = httpx.URL("http://localhost").copy_with(raw_path=target)
        answer = await client.get(url)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input"), target


async def test_a_query_is_read_strictly(client: httpx.AsyncClient) -> None:
    for path in (
        "/v1/catalog/flags?limit=0",
        "/v1/catalog/flags?limit=1001",
        "/v1/catalog/flags?limit=1e2",
        "/v1/catalog/flags?limit=+5",
        "/v1/catalog/flags?limit=%D9%A3",
        "/v1/catalog/flags?limit=",
        "/v1/catalog/flags?limit=5&limit=5",
        "/v1/catalog/flags?limits=5",
        "/v1/catalog/flags/x?a=1",
        "/v1/journal?before=-1",
        "/v1/journal?before=" + "9" * 30,
        "/v1/snapshot?revision=1.0",
        "/healthz?verbose=1",
    ):
        answer = await client.get(path)
        assert answer.status_code == 400, path
        assert answer.json()["path"].startswith("query"), path


async def test_a_body_is_bounded_whether_or_not_it_says_how_long_it_is(
    client: httpx.AsyncClient,
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 50_000

    whole = await client.put("/v1/catalog/flags/f", content=b" " * (1 << 20) + b"{}")
    chunked = await client.put("/v1/catalog/flags/f", content=chunks())
    assert (whole.status_code, chunked.status_code) == (413, 413)
    assert whole.json()["code"] == "too_large"


async def test_only_plain_json_in_utf_8_is_read(client: httpx.AsyncClient) -> None:
    body = b'{"default":"a","variations":{"a":1}}'
    for headers in (
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ):
        answer = await client.put("/v1/catalog/flags/f", content=body, headers=headers)
        assert answer.status_code == 415, headers
    for kind in ("application/json", "application/json; charset=UTF-8", "application/merge+json"):
        sent = {"content-type": kind}
        answer = await client.put("/v1/catalog/flags/f", content=body, headers=sent)
        assert answer.status_code in {200, 201}, kind


async def test_a_header_that_names_one_thing_is_given_once(client: httpx.AsyncClient) -> None:
    for name in ("allotment-space", "allotment-min-revision"):
        value = "default/production" if name == "allotment-space" else "0"
        answer = await client.get("/v1/catalog/flags", headers=[(name, value), (name, value)])
        assert answer.status_code == 400
    for value in ("-1", "x", "", "1.0", "9" * 40):
        answer = await client.get("/v1/catalog/flags", headers={"allotment-min-revision": value})
        assert answer.status_code == 400
    late = await client.get("/v1/catalog/flags", headers={"allotment-min-revision": "7"})
    assert late.status_code == 412


async def test_a_fault_of_ours_tells_nothing_but_where_to_look(
    node: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr("allotment.server.native.nouns.keys_from", broken)
    async with calling(node) as client:
        answer = await client.get("/v1/catalog/flags")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (500, "allotment_error")
    assert "swordfish" not in answer.text
    assert "Traceback" not in answer.text
    (record,) = (each for each in caplog.records if each.levelno == logging.ERROR)
    assert problem["request_id"] in record.getMessage()
    assert "swordfish" in str(record.exc_info)


async def test_nothing_of_the_store_is_told() -> None:
    for error, status, again in (
        (StoreError("postgresql://me:swordfish@db away"), 503, True),
        (StoreFull("/var/lib/swordfish is full"), 507, False),
    ):
        answer = answer_error(error, "/v1/catalog/flags", "id")
        assert answer.status == status
        assert b"swordfish" not in answer.body
        assert ("retry-after" in dict(answer.headers)) is again


async def test_an_answer_says_what_to_do_next_and_holds_only_what_can_be_printed() -> None:
    assert dict(answer_error(Overloaded("x"), "/", "").headers)["retry-after"] == "1"
    assert (
        "bearer"
        in dict(answer_error(Unauthorized("x"), "/", "").headers)["www-authenticate"].lower()
    )
    wild = InvalidInput("a\x1b[31m\n\u202e" + "x" * 9_000, "$." + "y" * 9_000)
    body = answer_error(wild, "/" + "z" * 9_000, "").body
    assert len(body) < 4_000
    assert body.decode().isprintable()


async def test_a_vendors_paths_answer_as_the_vendor_does(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.get("/api/v2/experimentation/nothing-like-this"),
        await client.put("/api/v2/experimentation/experiments"),
        await client.get("/api/v2/experimentation/experiments?%FF"),
    ):
        assert answer.status_code in {404, 405, 400}
        assert answer.headers["content-type"].startswith("application/json")
        assert answer.json()["statusCode"] == answer.status_code


def test_every_error_has_a_code_of_its_own() -> None:
    def all_of(kind: type[AllotmentError]) -> set[type[AllotmentError]]:
        return {kind}.union(*(all_of(each) for each in kind.__subclasses__()))

    kinds = [each for each in all_of(AllotmentError) if each.__init__ is AllotmentError.__init__]
    codes = [msgspec.json.decode(answer_error(each("x"), "/", "").body)["code"] for each in kinds]
    assert len(set(codes)) == len(codes)
    assert {"conflict", "precondition_failed", "invalid_input"} <= set(codes)
    assert Conflict("x").code == ""


async def test_nothing_of_a_request_is_read_before_its_caller_is_known(
    client: httpx.AsyncClient,
) -> None:
    """A query that is not known, a body that is no JSON and one that is too large all stay so."""
    stranger = {"authorization": "Bearer nobody"}
    for method, path in (
        ("GET", "/v1/tokens"),
        ("POST", "/v1/tokens"),
        ("POST", "/v1/commands"),
        ("PUT", "/v1/catalog/flags/x"),
        ("POST", "/v1/kept/read"),
    ):
        answer = await client.request(
            method, path, params={"none": "1"}, content=b"{" * 9_000_000, headers=stranger
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), path


async def test_a_model_refuses_a_native_body_with_the_path_and_the_rule(
    client: httpx.AsyncClient,
) -> None:
    for body, path, said in (
        ({"scope": "root"}, "$.scope", "one of 'assign', 'read', 'write' or 'admin'"),
        ({"scope": "read", "space": "x"}, "$.space", "PROJECT/ENVIRONMENT"),
        ({"scope": "read", "days": 0}, "$.days", "at least 1"),
        ({"scope": "read", "days": 2.0}, "$.days", "a whole number"),
        ({"scope": "read", "name": None}, "$.name", "leave the field out"),
        ({"scope": "read", "until": 1}, "$.until", "scope, space, name, days"),
        ({}, "$.scope", "required"),
        ([], "$", "an object"),
    ):
        problem = (await client.post("/v1/tokens", json=body)).json()
        assert (problem["status"], problem["path"]) == (400, path), body
        assert said in problem["detail"], body


def test_importing_a_vendors_routes_registers_nothing() -> None:
    """The app takes the renderers that each vendor declares; the order of imports says nothing."""
    said = (
        "from allotment.server import auth0, app, openapi\n"
        "from allotment.server.http.problems import RENDERERS, prefix_of\n"
        "assert RENDERERS == {} and prefix_of('/api/v2/flags/x') == ''\n"
    )
    subprocess.run([sys.executable, "-c", said], check=True)


async def test_the_app_answers_errors_as_each_vendor_declares(client: httpx.AsyncClient) -> None:
    for path, field in (
        ("/api/v2/experimentation/none", "statusCode"),
        ("/api/v2/flags/none/none/none", "id"),
        ("/v1/workflows/none", "details"),
    ):
        assert field in (await client.get(path)).json(), path
