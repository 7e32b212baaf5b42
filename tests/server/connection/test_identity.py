"""A request's id and trace come back, on every path and with every refusal, and are logged."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from allotment.server.connection.identity import Identity
from allotment.server.process.logs import Lines
from rawclient import RawClient, connected, get, post
from server.connection.log_lines import line_of
from serving import SHOP, Server, serving

FRESH = re.compile(r"[0-9a-f]{16}\Z")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
RESPONSE = re.compile(rf"00-{TRACE}-([0-9a-f]{{16}})-00\Z")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = {"ALLOTMENT_ACCESS_LOG": "true"}
    folder = tmp_path_factory.mktemp("logged")
    with serving(folder, env=env, catalog=SHOP, insecure_local=False) as served:
        yield served


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.token("admin", space="*/*")


@pytest.fixture
def client(server: Server) -> Iterator[RawClient]:
    with connected(server.url) as raw:
        yield raw


# A path, the body of a POST or None for GET, and the template that the log has of it.
ANSWERED = [
    ("/v1/assign/checkout/someone-42", None, "/v1/assign/{experiment}/{unit}"),
    ("/v1/assign", b'{"unit":"someone-42","experiment":"plain"}', "/v1/assign"),
    ("/v1/assign", b'{"unit":"someone-42"}', "/v1/assign"),
    ("/v1/resolve", b'{"unit":"someone-42","flag":"button"}', "/v1/resolve"),
    ("/v1/explain", b'{"unit":"someone-42","experiment":"plain"}', "/v1/explain"),
    ("/v1/assign/batch", b'{"units":["someone-42"]}', "/v1/assign/batch"),
    ("/v1/catalog/flags/button", None, "/v1/catalog/flags/{key}"),
    ("/api/v2/experimentation/experiments", None, "/api/v2/experimentation/experiments"),
    ("/v1/workflows/abtest/instances", None, "/v1/workflows/abtest/instances"),
    (
        "/console/default/production/experiments/checkout",
        None,
        "/console/{project}/{environment}/experiments/{key}",
    ),
    ("/metrics", None, "/metrics"),
    ("/healthz", None, "/healthz"),
]


@pytest.mark.parametrize("asked", ANSWERED, ids=lambda asked: f"{asked[0]}-{asked[1]}")
def test_an_id_and_a_trace_come_back_and_are_logged_with_who_called(
    server: Server, client: RawClient, token: str, asked: tuple[str, bytes | None, str]
) -> None:
    path, body, template = asked
    own = f"job:7/{ANSWERED.index(asked)}"
    headers = (f"Authorization: Bearer {token}", f"X-Request-Id: {own}", f"traceparent: {PARENT}")
    answer = client.ask(get(path, *headers) if body is None else post(path, body, *headers))
    assert answer.status == 200, answer.body
    assert answer.headers["x-request-id"] == own
    response = RESPONSE.match(answer.headers["traceresponse"])
    assert response
    line = line_of(server, own)
    assert (line["trace_id"], line["span_id"]) == (TRACE, response[1])
    assert (line["method"], line["path"]) == ("GET" if body is None else "POST", template)
    assert (line["status"], line["bytes"]) == (200, len(answer.body))
    assert 0 < line["ms"] < 60_000
    known = path != "/healthz"
    assert line["token"] == ("test" if known else None)
    assert line["space"] == ("default/production" if known else None)
    said = json.dumps(line)
    assert "someone-42" not in said
    assert token not in said


def test_a_vendors_client_that_resolves_is_logged_by_its_tokens_name(
    server: Server, client: RawClient, token: str
) -> None:
    asked = {"clientSecret": token, "flags": ["flags/button"], "evaluationContext": {"user": "u"}}
    body = json.dumps(asked).encode()
    answer = client.ask(post("/v1/flags:resolve", body, "X-Request-Id: resolving"))
    assert answer.status == 200, answer.body
    line = line_of(server, "resolving")
    assert (line["path"], line["token"]) == ("/v1/flags:resolve", "test")
    assert line["space"] == "default/production"


def test_without_an_id_each_answer_has_a_fresh_one_and_no_trace(client: RawClient) -> None:
    answers = [client.ask(get(path)) for path in ("/healthz", "/v1/assign/plain/u") for _ in "ab"]
    found = {answer.headers["x-request-id"] for answer in answers}
    assert len(found) == 4
    assert all(map(FRESH.match, found))
    assert not any("traceresponse" in answer.headers for answer in answers)


REFUSED = {
    "of an unknown token": (401, get("/v1/assign/plain/u", "Authorization: Bearer nobody")),
    "of no token": (401, get("/v1/catalog/flags")),
    "of a secret in a body": (401, post("/v1/flags:resolve", b'{"clientSecret":"nobody"}')),
    "where nothing is": (404, get("/nowhere")),
    "of a method": (405, post("/healthz", b"")),
    "of an escape": (400, get("/v1/catalog/flags/%FF")),
    "of an encoding": (415, post("/v1/assign", b"x", "Content-Encoding: gzip")),
    "of many headers": (431, get("/healthz", *[f"X-{n}: 1" for n in range(100)])),
    "of a long head": (431, get("/healthz", f"X-Long: {'x' * 17_000}")),
    "of no host": (400, b"GET /healthz HTTP/1.1\r\n\r\n"),
    "of a method that leads away": (400, get("/healthz").replace(b"GET", b"CONNECT", 1)),
    "of a chunk that is none": (
        400,
        b"POST /v1/assign HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n",
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_refusal_has_the_id_of_its_request(server: Server, why: str) -> None:
    status, request = REFUSED[why]
    own = f"refusal-{why}".replace(" ", "-")
    line, rest = request.split(b"\r\n", 1)
    named = f"X-Request-Id: {own}\r\ntraceparent: {PARENT}\r\n".encode()
    with connected(server.url) as client:
        client.send(line + b"\r\n" + named + rest)
        answer = client.answer()
    assert answer is not None
    assert answer.status == status, answer.body
    assert answer.headers["x-request-id"] == own
    assert RESPONSE.match(answer.headers["traceresponse"])
    if answer.headers["content-type"] == "application/problem+json":
        assert answer.problem["request_id"] == own
    logged = line_of(server, own)
    assert (logged["status"], logged["trace_id"], logged["token"]) == (status, TRACE, None)
    assert logged["bytes"] == len(answer.body)


def test_a_body_that_is_too_large_is_refused_under_the_id_of_its_request(
    server: Server, client: RawClient, token: str
) -> None:
    head = post("/v1/assign", b"", f"Authorization: Bearer {token}", "X-Request-Id: large")
    client.send(head.replace(b"Content-Length: 0", b"Content-Length: 9999999") + b"{")
    answer = client.answer()
    assert answer is not None
    assert (answer.status, answer.headers["x-request-id"]) == (413, "large")
    line = line_of(server, "large")
    assert (line["status"], line["token"], line["path"]) == (413, "test", "/v1/assign")


def test_what_is_refused_before_its_headers_are_read_has_a_fresh_id(server: Server) -> None:
    for status, request in (
        (400, b"nonsense\r\nX-Request-Id: mine\r\n\r\n"),
        (414, get("/" + "x" * 9_000, "X-Request-Id: mine")),
    ):
        with connected(server.url) as client:
            answer = client.ask(request)
        assert (answer.status, bool(FRESH.match(answer.headers["x-request-id"]))) == (status, True)
        line = line_of(server, answer.headers["x-request-id"])
        assert (line["status"], line["path"]) == (status, "other")


def test_an_id_that_is_given_twice_names_nothing(client: RawClient) -> None:
    twice = ("X-Request-Id: one", "X-Request-Id: one")
    assert FRESH.match(client.ask(get("/healthz", *twice)).headers["x-request-id"])
    parents = (f"traceparent: {PARENT}", f"traceparent: {PARENT}")
    assert "traceresponse" not in client.ask(get("/healthz", *parents)).headers


def test_an_answer_to_head_and_one_that_is_not_modified_have_the_id_too(
    client: RawClient, token: str
) -> None:
    own = (f"Authorization: Bearer {token}", "X-Request-Id: mine")
    whole = client.ask(get("/v1/snapshot", *own))
    client.send(get("/v1/snapshot", *own, f"If-None-Match: {whole.headers['etag']}"))
    again = client.answer(to_head=True)  # there is no body either
    assert again is not None
    assert (again.status, again.headers["x-request-id"]) == (304, "mine")
    client.send(get("/v1/snapshot", *own).replace(b"GET", b"HEAD", 1))
    head = client.answer(to_head=True)
    assert head is not None
    assert (head.status, head.headers["x-request-id"]) == (200, "mine")


@pytest.mark.parametrize("path", ["/v1/assign/plain/u", "/v1/snapshot"])
def test_an_answer_to_head_is_logged_without_bytes(
    server: Server, client: RawClient, token: str, path: str
) -> None:
    own = f"head-of{path}"
    client.send(
        get(path, f"Authorization: Bearer {token}", f"X-Request-Id: {own}").replace(
            b"GET", b"HEAD", 1
        )
    )
    assert client.answer(to_head=True)
    line = line_of(server, own)
    assert (line["method"], line["status"], line["bytes"]) == ("HEAD", 200, 0)


def test_a_request_whose_client_leaves_is_logged_as_broken_off(server: Server, token: str) -> None:
    head = post("/v1/assign", b"", f"Authorization: Bearer {token}", "X-Request-Id: gone")
    with connected(server.url) as client:
        client.send(head.replace(b"Content-Length: 0", b"Content-Length: 99") + b"{")
        time.sleep(0.1)
    line = line_of(server, "gone")
    assert (line["status"], line["bytes"], line["path"]) == (0, 0, "/v1/assign")


VALID = "UUID-7.of_a~proxy:1+/=@"

# What a header may hold on the wire: all bytes but those that end it, or are refused with it.
VALUES = st.one_of(
    st.binary(max_size=140).map(lambda raw: raw.decode("latin-1")),
    st.text(VALID, min_size=1, max_size=140),
    st.sampled_from(
        ['"', "a b", "a,b", "a\tb", "\x1b[31m", "é", "a" * 129, "", "a=b", "'; x", "%0a"]
    ),
).filter(lambda text: not set(text) & {"\r", "\n", "\0"})

VERSIONS = st.one_of(st.just("00"), st.from_regex("[0-9a-fA-F]{2}", fullmatch=True))
HEX = st.text("0123456789abcdefABC", min_size=31, max_size=33)
PARENTS = st.one_of(
    VALUES,
    st.builds(
        lambda version, trace, span, flags, more: f"{version}-{trace}-{span}-{flags}{more}",
        VERSIONS,
        st.one_of(st.just(TRACE), st.just("0" * 32), HEX),
        st.one_of(st.just("00f067aa0ba902b7"), st.just("0" * 16), HEX),
        VERSIONS,
        st.sampled_from(["", "-", "-more", "more", " "]),
    ),
)


def valid_parent(text: str) -> str:
    """The trace of a valid `traceparent`, read by cutting it up; empty for any other text."""
    parts = text.strip(" \t").split("-", 4)
    if [len(part) for part in parts[:4]] != [2, 32, 16, 2]:
        return ""
    if not set("".join(parts[:4])) <= set("0123456789abcdef"):
        return ""
    if parts[0] == "ff" or set(parts[1]) == {"0"} or set(parts[2]) == {"0"}:
        return ""
    return "" if parts[0] == "00" and len(parts) > 4 else parts[1]


def valid_id(text: str) -> str:
    text = text.strip(" \t")
    letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._~:+/=@-"
    return text if 0 < len(text) <= 128 and set(text) <= set(letters) else ""


@settings(max_examples=150)
@given(own=VALUES, parent=PARENTS)
@example(own="", parent=f"00-{TRACE}-00f067aa0ba902b7-00-")
def test_any_value_of_the_headers_is_honoured_or_ignored_and_never_breaks_the_log(
    server: Server, own: str, parent: str
) -> None:
    begun = len(server.log)
    with connected(server.url) as client:
        answer = client.ask(get("/healthz", f"X-Request-Id: {own}", f"traceparent: {parent}"))
    if answer.status == 400:  # a control character is no value
        assert not f"{own}{parent}".isprintable()
        return
    assert answer.status == 200
    given_back = answer.headers["x-request-id"]
    assert given_back == valid_id(own) or (not valid_id(own) and FRESH.match(given_back))
    trace = answer.headers.get("traceresponse", "00--").split("-")[1]
    assert trace == valid_parent(parent)
    line = line_of(server, given_back, begun)
    assert line.get("trace_id", "") == trace


@given(own=st.binary(max_size=200), parent=st.binary(max_size=80), as_json=st.booleans())
def test_no_bytes_make_more_than_a_line_or_a_header_of_their_own(
    own: bytes, parent: bytes, as_json: bool
) -> None:
    identity = Identity(own, parent)
    lines = identity.lines().decode("ascii").split("\r\n")
    assert lines.pop() == ""
    assert all(re.match(r"(x-request-id|traceresponse): [!-~]+\Z", line) for line in lines)
    assert said(identity, as_json).isprintable()


def said(identity: Identity, as_json: bool) -> str:
    record = logging.LogRecord("allotment.access", logging.INFO, "", 0, "request", None, None)
    fields: dict[str, Any] = {"request_id": identity.request_id, "trace_id": identity.trace_id}
    record.fields = fields
    return Lines(as_json).format(record)


def test_an_id_that_looks_like_a_secret_is_masked_in_the_log(server: Server) -> None:
    own = "allot_0123456789abcdefgh"
    with connected(server.url) as client:
        answer = client.ask(get("/healthz", f"X-Request-Id: {own}"))
    assert answer.headers["x-request-id"] == own
    line_of(server, "allot_***")
    assert own not in server.log
