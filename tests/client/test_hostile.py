"""A server that answers nonsense: what is served stays, and the status says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

import allotment
from allotment.change import sent
from allotment.compile import compile_catalog
from allotment.model.catalog import Catalog
from faults.waiting import wait_for
from serving import SHOP

SHOPPING = replace(allotment.load(SHOP).catalog, revision=5)

Answer = tuple[int, bytes]


def whole(of: Catalog, /, **others: Any) -> Answer:
    told = {
        **sent.write(of),
        "lineage": "0" * 32,
        "fingerprint": f"{compile_catalog(of).fingerprint:032x}",
    }
    return 200, json.dumps({**told, **others}).encode()


def as_json(told: object) -> Answer:
    return 200, json.dumps(told).encode()


LIST = {"is": "Segment", "key": "many", "include": {"list": "0" * 64, "count": 3}}

BAD: dict[str, Answer] = {
    "no JSON": (200, b"<html>"),
    "half of an answer": (200, whole(replace(SHOPPING, revision=6))[1][:-40]),
    "another thing": as_json([1, 2]),
    "no catalog": as_json({"revision": 6, "since": None}),
    "what changed since another revision": whole(replace(SHOPPING, revision=9), since=8),
    "a revision that went back": whole(replace(SHOPPING, revision=4)),
    "a revision that is text": whole(SHOPPING, revision="6"),
    "nouns that are none": whole(replace(SHOPPING, revision=6), catalog={"experiments": 5}),
    "a list that is not there": whole(
        replace(SHOPPING, revision=6),
        catalog={**json.loads(whole(SHOPPING)[1])["catalog"], "segments": {"many": LIST}},
    ),
    "a redirect": (307, b""),
    "a fault": (500, b"oh no"),
    "no token": (401, b'{"detail": "this token is revoked"}'),
    "half a pair of surrogates": (200, b'{"revision": "\\ud800"}'),
    "depth without end": (200, b"[" * 100_000),
}


class Scripted(ThreadingHTTPServer):
    """A server that answers one thing."""

    daemon_threads = True
    answer: Answer = whole(SHOPPING)
    stream: Answer = (404, b'{"detail": "there is none"}')


class _Handler(BaseHTTPRequestHandler):
    server: Scripted

    def do_GET(self) -> None:
        is_stream = self.path.startswith("/v1/stream")
        status, body = self.server.stream if is_stream else self.server.answer
        if self.path.startswith("/v1/lists"):
            status, body = 200, b"not what was named"
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def scripted() -> Iterator[tuple[Scripted, str]]:
    server = Scripted(("127.0.0.1", 0), _Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client asks again soon after a failure."""
    monkeypatch.setattr("allotment.client.following.LONGEST_WAIT", 0.05)


@pytest.fixture(scope="module")
def fake() -> Iterator[tuple[Scripted, str]]:
    with scripted() as both:
        yield both


@pytest.mark.parametrize("what", BAD)
def test_what_is_served_stays_and_the_status_says_what_is_wrong(
    what: str, fake: tuple[Scripted, str]
) -> None:
    server, url = fake
    server.answer = whole(SHOPPING)
    with allotment.connect(url, token="x", poll_seconds=0.02) as engine:
        given = [engine.assign("plain", f"user-{number}") for number in range(50)]
        server.answer = BAD[what]
        wait_for(lambda: engine.status().error, 10)
        assert [engine.assign("plain", f"user-{number}") for number in range(50)] == given
        assert engine.status().revision == 5
        server.answer = whole(replace(SHOPPING, revision=7))
        wait_for(lambda: engine.status().revision == 7, 10)
        assert engine.status().error is None


@pytest.mark.parametrize(
    "stream",
    [(200, b"id: nonsense\n\n"), (200, b"id: 99-x\n\n" * 1000), (200, b"\xff\xfe"), (500, b"")],
)
def test_a_stream_of_nonsense_harms_nothing(stream: Answer, fake: tuple[Scripted, str]) -> None:
    server, url = fake
    server.answer, server.stream = whole(SHOPPING), stream
    with allotment.connect(url, poll_seconds=0.05) as engine:
        server.answer = whole(replace(SHOPPING, revision=8))
        wait_for(lambda: engine.status().revision == 8, 10)
        assert engine.status().error is None
    server.stream = Scripted.stream


def test_a_difference_that_leads_elsewhere_is_found_by_its_fingerprint(
    fake: tuple[Scripted, str],
) -> None:
    """The whole catalog is asked for then, and taken."""
    server, url = fake
    server.answer = whole(SHOPPING)
    with allotment.connect(url, poll_seconds=0.02) as engine:
        wrong = {**sent.write(replace(SHOPPING, revision=6), 5, [("experiment", "plain")])}
        wrong["catalog"]["experiments"]["plain"] = None
        server.answer = as_json({**wrong, "lineage": "1" * 32, "fingerprint": "0" * 32})
        wait_for(lambda: engine.status().error, 10)
        assert "does not lead to" in str(engine.status().error)
        assert engine.assign("plain", "user-1").treatment is not None
        server.answer = whole(replace(SHOPPING, revision=6))
        wait_for(lambda: engine.status().revision == 6, 10)
