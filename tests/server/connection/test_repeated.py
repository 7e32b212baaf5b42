"""A request whose head was read before is answered as it was the first time, and as any other."""

from __future__ import annotations

import asyncio
import json
import logging
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
from uvicorn import Config

from allotment.server.connection.deadlines import Waits, standing_of
from allotment.server.connection.known_heads import HEADS_MAX
from allotment.server.connection.protocol import Protocol
from allotment.server.connection.state import ServingState
from allotment.server.counters import Counters
from allotment.server.http.answer import Answering, Ready
from allotment.server.http.limits import TARGET_BYTES_MAX
from allotment.server.settings import Settings
from rawclient import connected, get, post
from server.connection.test_framing import Wire
from serving import serving

BODY = json.dumps({"unit": "user-1", "experiment": "search-order"}).encode()


class App:
    """Answers every POST as it is read, with the size of its body."""

    status = 200

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def at_once(self, scope: Any) -> Answering | None:
        scope["route"] = type("Route", (), {"path": scope["path"]})
        return self._answer

    def _answer(self, scope: Any, body: bytes) -> Ready:
        scope["state"]["operation"] = "assign"
        text = b"%d %b" % (len(body), scope["raw_path"])
        return Ready([(b"content-length", b"%d" % len(text))], text, self.status)


class Waiting(App):
    """As App; of the requests that end in "wait" only a call answers, once it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.scopes: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.go.wait()
        self.scopes.append(scope)
        await super().__call__(scope, receive, send)

    def _answer(self, scope: Any, body: bytes) -> Any:
        waits = (body or scope["raw_path"]).endswith(b"wait")
        return None if waits else super()._answer(scope, body)


class Line:
    """One connection to an application in memory, and what all such connections share."""

    def __init__(self, state: ServingState, app: App | None = None) -> None:
        config = Config(app or App(), http=Protocol, log_config=None, proxy_headers=False)
        config.load()
        self.state, self.wire = state, Wire()
        self.protocol = Protocol(config, state, {})
        self.protocol.connection_made(self.wire)

    def ask(self, data: bytes) -> bytes:
        """What is said to it."""
        before = len(self.wire.said)
        self.protocol.data_received(data)
        return self.wire.said[before:]


@pytest.fixture
def state() -> ServingState:
    return ServingState(Settings(), Counters())


def run(scenario: Any) -> None:
    async def in_loop() -> None:
        scenario()
        await asyncio.sleep(0)

    asyncio.run(in_loop())


def without_id(answer: bytes) -> list[bytes]:
    return [line for line in answer.split(b"\r\n") if not line.startswith(b"x-request-id")]


def test_the_second_request_is_answered_as_the_first_and_counted(state: ServingState) -> None:
    def scenario() -> None:
        first = Line(state).ask(post("/v1/assign", BODY))
        again = Line(state).ask(post("/v1/assign", BODY))
        assert without_id(first) == without_id(again)
        assert first != again, "each request has an id of its own"
        assert (state.heads.learned, state.heads.used) == (1, 1)
        timed = state.counters.assignment_seconds["POST", "/v1/assign", "assign"]
        assert sum(timed.counts) == 2

    run(scenario)


def test_requests_in_one_packet_are_answered_in_their_order(state: ServingState) -> None:
    def scenario() -> None:
        line = Line(state)
        line.ask(post("/v1/assign", b"a"))
        mixed = post("/v1/assign", b"b"), post("/v1/assign", b"cc"), post("/v1/resolve", b"d")
        said = line.ask(b"".join(mixed))
        assert [said.find(each) > 0 for each in (b"1 /v1/assign", b"2 /v1/assign")] == [True] * 2
        assert said.index(b"1 /v1/assign") < said.index(b"2 /v1/assign")
        assert said.index(b"2 /v1/assign") < said.index(b"1 /v1/resolve")

    run(scenario)


@pytest.mark.parametrize(
    "request_of",
    [
        lambda: post("/v1/assign", BODY, "X-Request-Id: mine"),
        lambda: post("/v1/assign", BODY, "Connection: close"),
        lambda: post("/v1/assign", BODY, "Expect: 100-continue"),
        lambda: get("/v1/assign/a/b?attributes={}"),
        lambda: post("/v1/assign", BODY, f"X-Long: {'x' * 3_000}"),
        lambda: b"\r\n\r\n" + post("/v1/assign", BODY),
        lambda: (
            b"POST /v1/assign HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1\r\na\r\n0\r\n\r\n"
        ),
    ],
    ids=["an id", "a close", "an expectation", "an odd target", "a long one", "a gap", "chunks"],
)
def test_a_head_with_something_to_it_is_read_each_time(
    request_of: Any, state: ServingState
) -> None:
    def scenario() -> None:
        for _ in range(2):
            Line(state).ask(request_of())
        assert (state.heads.learned, state.heads.used) == (0, 0)

    run(scenario)


def test_what_is_refused_is_not_remembered(state: ServingState) -> None:
    def scenario() -> None:
        app = App()
        app.status = 401
        Line(state, app).ask(post("/v1/assign", BODY))
        assert state.heads.learned == 0

    run(scenario)


def test_an_address_with_another_unit_has_the_head_of_the_first(state: ServingState) -> None:
    def scenario() -> None:
        line = Line(state)
        line.ask(get("/v1/assign/exp/one"))
        said = line.ask(get("/v1/assign/exp/tw%2Fo?attributes=%7B%7D"))
        assert b"/v1/assign/exp/tw%2Fo" in said
        assert state.heads.used == 1
        for odd in ("/v1/assign/exp/one/more", "/v1/assign/exp/a(b", "/v1/assign/exp/a#b"):
            Line(state).ask(get(odd))
            assert state.heads.used == 1, odd

    run(scenario)


@pytest.mark.parametrize(
    "request_of",
    [lambda word: post("/v1/assign", word.encode()), lambda word: get(f"/v1/assign/a/%20{word}")],
    ids=["a body", "an address"],
)
def test_a_request_that_waits_keeps_what_is_known_of_it(
    request_of: Any, state: ServingState
) -> None:
    async def scenario() -> None:
        app = Waiting()
        line, other = Line(state, app), Line(state, app)
        line.ask(request_of("done"))
        assert not line.ask(request_of("wait"))
        behind = line.ask(request_of("more"))
        assert not behind, "it is answered in its turn"
        assert b" 200 " in other.ask(request_of("done"))
        app.go.set()
        for _ in range(5):
            await asyncio.sleep(0)
        waited, _ = app.scopes
        assert waited["path"] == urllib.parse.unquote(waited["raw_path"].decode())
        identity = waited["state"]["identity"]
        for word in ("done", "last"):
            assert line.ask(request_of(word)), "it goes on"
        assert waited["raw_path"] in (b"/v1/assign", b"/v1/assign/a/%20wait")
        assert waited["state"]["identity"] is identity

    asyncio.run(scenario())


def test_the_rest_of_a_known_head_is_no_request(state: ServingState) -> None:
    def scenario() -> None:
        asked = get("/v1/assign/exp/one")
        Line(state).ask(asked)
        _, _, rest = asked.partition(b"\r\n")
        for broken in (rest, b"\r\n" + rest):
            assert Line(state).ask(broken).startswith(b"HTTP/1.1 400")
        assert state.heads.used == 0

    run(scenario)


def test_an_address_is_no_longer_than_another_target_may_be(state: ServingState) -> None:
    def scenario() -> None:
        Line(state).ask(get("/v1/assign/exp/one"))
        long = get(f"/v1/assign/exp/{'u' * TARGET_BYTES_MAX}")
        assert Line(state).ask(long).startswith(b"HTTP/1.1 414")
        assert state.heads.used == 0

    run(scenario)


def test_there_is_an_end_to_what_is_remembered() -> None:
    state = ServingState(Settings(concurrency=2 * HEADS_MAX), Counters())

    def scenario() -> None:
        for number in range(HEADS_MAX + 1):
            Line(state).ask(post(f"/v1/assign{number}", b""))
        assert state.heads.learned == HEADS_MAX + 1
        Line(state).ask(post("/v1/assign0", b""))
        assert state.heads.used == 0

    run(scenario)


def test_a_connection_that_began_with_a_known_head_is_idle_after_it(state: ServingState) -> None:
    def scenario() -> None:
        Line(state).ask(post("/v1/assign", BODY))
        line = Line(state)
        assert standing_of(line.protocol).waits is Waits.HEAD
        line.ask(post("/v1/assign", BODY))
        assert standing_of(line.protocol).waits is Waits.IDLE
        line.ask(post("/v1/assign", BODY)[:-1])
        assert standing_of(line.protocol).waits is Waits.BODY

    run(scenario)


def test_while_it_drains_each_answer_closes_its_connection(state: ServingState) -> None:
    def scenario() -> None:
        line = Line(state)
        line.ask(post("/v1/assign", BODY))
        state.draining = True
        assert b"connection: close" in line.ask(post("/v1/assign", BODY))
        assert line.wire.closed

    run(scenario)


def test_the_access_log_has_a_line_for_each(
    state: ServingState, caplog: pytest.LogCaptureFixture
) -> None:
    def scenario() -> None:
        state.access_log = True
        with caplog.at_level(logging.INFO, "allotment.access"):
            for _ in range(3):
                Line(state).ask(post("/v1/assign", BODY))
        fields: list[Any] = [record.__dict__["fields"] for record in caplog.records]
        assert state.heads.used == 2
        names = ("method", "path", "status", "bytes", "client", "token", "space")
        assert len({tuple(each[name] for name in names) for each in fields}) == 1
        assert len({each["request_id"] for each in fields}) == 3

    run(scenario)


def test_a_token_that_is_revoked_opens_no_known_head(tmp_path: Path) -> None:
    with serving(tmp_path) as server, connected(server.url) as line:
        text, admin = server.token("assign"), server.token("admin")
        asked = post("/v1/assign", BODY, f"Authorization: Bearer {text}")
        assert [line.ask(asked).status for _ in range(3)] == [200] * 3
        with server.client(token=admin) as client:
            tokens = client.get("/v1/tokens").json()["tokens"]
            mine = next(each["id"] for each in tokens if each["scope"] == "assign")
            assert client.delete(f"/v1/tokens/{mine}").status_code == 204
        refused = line.ask(asked)
        assert refused.status == 401
        assert refused.problem["request_id"] == refused.headers["x-request-id"]
