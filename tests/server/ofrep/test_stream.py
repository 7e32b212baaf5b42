"""The stream that tells clients to ask again, and what opens it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest

from allotment.server.auth.ticket import opens, ticket_of, token_named
from allotment.store import Scope, Store, Token
from serving import OFREP, Server, serving

FLAGS = "/ofrep/v1/evaluate/flags"
STREAM = "/ofrep/v1/stream"
ASKED = {"context": {"targetingKey": "a"}}
HOUR = 3600.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("stream")
    env = {"ALLOTMENT_ACCESS_LOG": "1"}
    with serving(folder, catalog=OFREP, workers=2, env=env, insecure_local=False) as started:
        yield started


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[httpx.Client]:
    with server.client(token=server.token("admin", space="*/*")) as made:
        yield made


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.token("assign")


def address(server: Server, token: str) -> str:
    """Where the stream is that all flags come with, as a page has it."""
    with server.client(token=token) as client:
        (stream,) = client.post(FLAGS, json=ASKED).json()["eventStreams"]
    assert stream.keys() == {"type", "endpoint", "inactivityDelaySec"}
    assert stream["type"] == "sse"
    uri: str = stream["endpoint"]["requestUri"]
    return uri


def rename(admin: httpx.Client, name: str) -> str:
    """Publish a revision; its number."""
    command = {"is": "Rename", "kind": "flag", "key": "fixed", "name": name}
    done = admin.post("/v1/commands", content=json.dumps({"commands": [command]}))
    assert done.status_code == 200, done.text
    return done.headers["allotment-revision"]


class Events:
    """The blocks of a stream, one after the other, each by its fields."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines()

    def next(self) -> dict[str, str] | None:
        """The next block; None where the stream has ended."""
        found: dict[str, str] = {}
        for line in self._lines:
            if not line:
                return found
            name, _, value = line.partition(":")
            found[name] = value.strip()
        return None

    def told(self) -> Any:
        """The data of the next block that has any."""
        while (block := self.next()) is not None:
            if "data" in block:
                return {**json.loads(block["data"]), "id": block["id"]}
        return None

    def told_of(self, revision: str) -> Any:
        """The event of a revision; another process may be told of those before it first."""
        while (told := self.told()) is not None and told["id"].split("-")[0] != revision:
            pass
        return told


@contextmanager
def listening(
    server: Server, path: str, *, token: str | None = None, **headers: str
) -> Iterator[Events]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with (
        server.client(token=token, timeout=20) as client,
        client.stream("GET", path, headers=named) as answer,
    ):
        if answer.status_code != 200:
            answer.read()
        yield Events(answer)


def test_a_stream_tells_of_every_revision(server: Server, admin: httpx.Client, token: str) -> None:
    with listening(server, address(server, token)) as events:
        assert events.answer.status_code == 200
        assert events.answer.headers["content-type"].startswith("text/event-stream")
        assert events.answer.headers["cache-control"] == "no-store"
        first = events.next()
        assert first is not None
        assert 1_000 <= int(first["retry"]) <= 10_000
        for name in ("one", "two"):
            revision = rename(admin, name)
            begun = time.monotonic()
            told = events.told()
            assert time.monotonic() - begun < 1.0
            assert told["type"] == "refetchEvaluation"
            assert told["etag"] == told["id"]
            assert told["id"].split("-")[0] == revision


def test_a_client_that_comes_again_is_told_what_it_has_missed(
    server: Server, admin: httpx.Client, token: str
) -> None:
    path = address(server, token)
    revision = rename(admin, "before")
    with listening(server, path, last_event_id="1-gone") as events:
        told = events.told_of(revision)
        assert told is not None
    # What it has seen is not told again: the first news is the next revision.
    with listening(server, path, last_event_id=told["id"]) as events:
        first = events.next()
        assert first is not None
        assert "data" not in first
        revision = rename(admin, "after")
        told = events.told()
        assert told["id"].split("-")[0] == revision


def test_what_was_published_a_moment_ago_is_told_to_a_new_client(
    server: Server, admin: httpx.Client, token: str
) -> None:
    """Between its asking for all flags and its listening something may have been published."""
    path = address(server, token)
    revision = rename(admin, "in between")
    with listening(server, path) as events:
        assert events.told_of(revision) is not None


def test_a_stream_is_opened_by_a_token_too(server: Server, token: str) -> None:
    for path in (STREAM, f"/projects/default/environments/production{STREAM}"):
        with listening(server, path, token=token) as events:
            assert events.answer.status_code == 200
        with listening(server, path, x_api_key=token) as events:
            assert events.answer.status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path[:-1],
        lambda path: path[:-1] + ("0" if path[-1] != "0" else "1"),
        lambda path: path.replace("ticket=", "ticket=x"),
        lambda path: path.partition("?")[0],
        lambda path: path.partition("?")[0] + "?ticket=",
        lambda path: path.partition("?")[0] + "?ticket=a.b.c",
        lambda path: path.partition("?")[0] + "?ticket=%C3%A9.1.%C3%A9",
        lambda path: path.replace("production", "staging"),
        lambda path: STREAM + "?" + path.partition("?")[2],
    ],
)
def test_nothing_else_opens_a_stream(server: Server, token: str, change: Any) -> None:
    with listening(server, change(address(server, token))) as events:
        assert events.answer.status_code == 401
        assert events.answer.json().keys() == {"errorCode", "errorDetails"}


def test_a_ticket_opens_nothing_but_a_stream(server: Server, token: str) -> None:
    ticket = address(server, token).partition("=")[2]
    with server.client() as client:
        for path in ("/v1/snapshot", "/v1/assign/banner/a", f"{FLAGS}", "/v1/journal"):
            for headers in ({"authorization": f"Bearer {ticket}"}, {"x-api-key": ticket}):
                answer = client.request("POST" if path == FLAGS else "GET", path, headers=headers)
                assert answer.status_code == 401
            query = f"{path}?ticket={ticket}"
            answer = client.request("POST" if path == FLAGS else "GET", query)
            assert answer.status_code in (400, 401)


@pytest.mark.parametrize("query", ["?more=1", "?ticket=a&ticket=b"])
def test_another_query_is_refused(server: Server, token: str, query: str) -> None:
    with listening(server, f"{STREAM}{query}", token=token) as events:
        assert events.answer.status_code == 400


def test_a_stream_ends_with_its_token(server: Server, admin: httpx.Client) -> None:
    short = server.token("assign")
    with Store.open(server.database) as store:
        name = store.tokens()[-1].id
    with listening(server, address(server, short)) as events:
        assert events.next() is not None
        assert admin.delete(f"/v1/tokens/{name}").status_code == 204
        assert events.told() is None
    with listening(server, STREAM, token=short) as events:
        assert events.answer.status_code == 401


def test_no_ticket_is_in_the_log(server: Server, token: str) -> None:
    path = address(server, token)
    with listening(server, path) as events:
        events.next()
    deadline = time.monotonic() + 10
    while "/ofrep/v1/stream" not in server.log and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "/ofrep/v1/stream" in server.log
    assert path.partition("=")[2] not in server.log
    assert "ticket=" not in server.log


def test_streams_take_no_place_of_other_requests_and_end_with_the_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    env = {"ALLOTMENT_CONCURRENCY": "8"}
    with (
        serving(tmp_path_factory.mktemp("places"), catalog=OFREP, env=env) as server,
        server.client() as client,
        ExitStack() as streams,
    ):
        for _ in range(20):
            events = streams.enter_context(listening(server, STREAM))
            assert events.next() is not None
        for _ in range(20):
            assert client.post("/v1/resolve", json={"unit": "a"}).status_code == 200
            assert client.get("/v1/snapshot").status_code == 200
        client.close()
        begun = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun < 5.0


# Tickets.

TOKEN = Token("name.with.points", "d" * 64, Scope.ASSIGN, "*/*", "test", 0)


def test_a_ticket_is_of_an_hour_and_the_next() -> None:
    ticket = ticket_of(TOKEN, "a/b", 10 * HOUR + 5)
    assert ticket == ticket_of(TOKEN, "a/b", 11 * HOUR - 1)
    assert token_named(ticket) == TOKEN.id
    for now, expected in ((9.5, True), (10.1, True), (11.9, True), (12.0, False), (8.9, False)):
        assert opens(ticket, TOKEN, "a/b", now * HOUR) is expected
    assert not opens(ticket, TOKEN, "a/c", 10 * HOUR)
    other = Token(TOKEN.id, "e" * 64, Scope.ASSIGN, "*/*", "test", 0)
    assert not opens(ticket, other, "a/b", 10 * HOUR)
