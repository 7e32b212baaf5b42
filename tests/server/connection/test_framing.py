"""Where a request ends, two readers must never see differently: what one takes for a body the other
must not take for a request (request smuggling)."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from types import SimpleNamespace
from typing import Any, Final

import pytest
from uvicorn import Config

from allotment.server.connection.protocol import Protocol
from allotment.server.connection.state import ServingState
from allotment.server.counters import Counters
from allotment.server.http.answer import Answering, Ready
from allotment.server.settings import Settings
from rawclient import RawClient, connected
from serving import Server

CASES: Final = 1_500

SMUGGLED: Final = b"DELETE /smuggled HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"


@dataclass
class Seen:
    """A request as a reader saw it; `certain` unless a server may refuse it."""

    target: bytes
    body: bytes
    certain: bool = True


@dataclass
class Reading:
    """What the reference makes of a connection: requests, and whether it reads on behind them."""

    requests: list[Seen] = field(default_factory=list)
    goes_on: bool = True


def reference(data: bytes) -> Reading:
    """Requests by the letter of RFC 9112, sections 6 and 9: what is not plain ends the reading."""
    reading = Reading()
    while data and reading.goes_on:
        head, found, data = data.partition(b"\r\n\r\n")
        method, target, version = head.split(b"\r\n")[0].split(b" ")
        headers = [line.split(b": ", 1) for line in head.split(b"\r\n")[1:]]
        lengths = {value for name, value in headers if name.lower() == b"content-length"}
        codings = [value for name, value in headers if name.lower() == b"transfer-encoding"]
        options = [value.lower() for name, value in headers if name.lower() == b"connection"]
        reading.goes_on = version == b"HTTP/1.1" and not any(b"close" in each for each in options)
        if method == b"CONNECT" or (codings and lengths) or len(lengths) > 1 or not found:
            reading.goes_on = False
            return reading
        if codings:
            if codings not in ([b"chunked"], [b"gzip, chunked"]):  # nobody knows where it ends
                reading.goes_on = False
                return reading
            parts = []
            while (size := int(data[: data.index(b"\r\n")], 16)) > 0:
                data = data[data.index(b"\r\n") + 2 :]
                parts.append(data[:size])
                data = data[size + 2 :]
            data = data[data.index(b"\r\n") + 4 :]
            body = b"".join(parts)
        else:
            size = int(next(iter(lengths), b"0"))
            if size > len(data):
                reading.goes_on = False
                return reading
            body, data = data[:size], data[size:]
        reading.requests.append(Seen(target, body, certain=codings != [b"gzip, chunked"]))
    return reading


class Wire(asyncio.Transport):
    """The far end of a connection, in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.said = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.said += bytes(data)

    def close(self) -> None:
        self.closed = True

    abort = write_eof = close

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)}.get(name, default)

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading

    @property
    def answers(self) -> int:
        return len(re.findall(rb"HTTP/1\.1 (?!100)\d{3} ", self.said))


class Recorder:
    """An application that notes what it is asked."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            more = message["more_body"]
        self.seen.append(Seen(scope["raw_path"], body))
        headers = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


class Quick(Recorder):
    """Answers every other request as soon as it is whole, and the rest in tasks."""

    def at_once(self, scope: Any) -> Answering | None:
        scope["route"] = SimpleNamespace(path="/r")
        return None if scope["raw_path"][-1] % 2 else self._answer

    def _answer(self, scope: Any, body: bytes) -> Ready | None:
        if b"later" in body:
            return None
        self.seen.append(Seen(scope["raw_path"], body))
        return Ready([(b"content-length", b"0")], b"")


async def read_by_us(
    pieces: list[bytes], app: Recorder | None = None, state: ServingState | None = None
) -> tuple[list[Seen], Wire]:
    """What the server makes of the bytes."""
    recorder, wire = app or Recorder(), Wire()
    config = Config(recorder, http=Protocol, log_config=None, proxy_headers=False)
    config.load()
    protocol = Protocol(config, state or ServingState(Settings(), Counters()), {})
    protocol.connection_made(wire)
    for piece in pieces:
        if wire.closed:
            break
        protocol.data_received(piece)
        await asyncio.sleep(0)
    for _ in range(40):
        await asyncio.sleep(0)
    closed = wire.closed
    protocol.connection_lost(None)
    await asyncio.sleep(0)
    wire.closed = closed
    return recorder.seen, wire


def message(dice: Random, number: int) -> bytes:
    """A request whose framing is odd in some way, or in none."""
    method = dice.choice(["GET", "POST", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
    target = f"/r{number}"
    if dice.random() < 0.03:
        method, target = "CONNECT", "a:80"
    body = dice.choice([b"", b"hello", SMUGGLED, SMUGGLED * 2, b"0\r\n\r\n" + SMUGGLED])
    lines = [f"{method} {target} HTTP/1.{0 if dice.random() < 0.1 else 1}", "Host: a"]
    if dice.random() < 0.6:
        lines.append("Upgrade: " + dice.choice(["h2c", "websocket", "TLS/1.0", "h2c, websocket"]))
    if dice.random() < 0.7:
        options = ["upgrade", "Upgrade, HTTP2-Settings", "keep-alive, Upgrade", "keep-alive"]
        lines.append("Connection: " + dice.choice([*options, *options, "close", "close, upgrade"]))
    if dice.random() < 0.2:
        lines.append("Expect: 100-continue")
    match dice.randrange(8):
        case 0 | 1 | 2:
            lines.append(f"Content-Length: {len(body)}")
        case 3 | 4:
            lines.append("Transfer-Encoding: chunked")
        case 5:
            lines.append(f"Content-Length: {len(body)}")
            lines.append(dice.choice(["Transfer-Encoding: chunked", "Content-Length: 3"]))
        case 6:
            odd = ["identity", "gzip, chunked", "chunked, identity", "gzip", "xchunked"]
            lines.append("Transfer-Encoding: " + dice.choice(odd))
        case _:
            body = b""
    dice.shuffle(rest := lines[1:])
    head = "\r\n".join([lines[0], *rest]).encode() + b"\r\n\r\n"
    if any(line.startswith("Transfer-Encoding") for line in lines):
        cut = dice.randrange(len(body) + 1)
        chunks = [part for part in (body[:cut], body[cut:]) if part]
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in chunks) + b"0\r\n\r\n"
    return head + body


def pieces_of(dice: Random, data: bytes) -> list[bytes]:
    """The bytes as they may arrive."""
    if dice.random() < 0.3:
        return [data]
    cuts = sorted(dice.randrange(len(data) + 1) for _ in range(dice.choice([1, 3, 20])))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    return [piece for piece in pieces if piece]


def check(seen: list[Seen], wire: Wire, data: bytes) -> None:
    expected = reference(data)
    told = repr(data)
    certain = [each for each in expected.requests if each.certain]
    assert seen == certain[: len(seen)], told
    if not wire.closed:
        assert expected.goes_on, told
        assert len(seen) == len(certain), told
        assert wire.answers == len(expected.requests), told


def test_a_request_ends_where_a_strict_reader_says_it_does(seed: int) -> None:
    async def all_of_them() -> None:
        dice = Random(seed)
        for _ in range(CASES):
            data = b"".join(message(dice, i) for i in range(dice.randrange(1, 5)))
            app = dice.choice((Recorder, Quick))()
            check(*await read_by_us(pieces_of(dice, data), app), data)

    asyncio.run(all_of_them())


def test_a_head_that_was_read_before_ends_where_it_did_then(seed: int) -> None:
    async def all_of_them() -> None:
        dice, state, app = Random(seed), ServingState(Settings(), Counters()), Quick()
        pool = [message(dice, number) for number in range(0, 40, 2)]
        pool += [plain(number, body) for number in (0, 1, 2) for body in (b"", b"x", b"later")]
        for _ in range(CASES):
            chosen = [dice.choice(pool) for _ in range(dice.randrange(1, 6))]
            data = b"".join(chosen)
            pieces = chosen if dice.random() < 0.4 else pieces_of(dice, data)
            app.seen = []
            check(*await read_by_us(pieces, app, state), data)
        assert state.heads.learned > 5
        assert state.heads.used > CASES // 4

    asyncio.run(all_of_them())


def plain(number: int, body: bytes) -> bytes:
    """A request with nothing odd about it."""
    head = b"POST /r%d HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (number, len(body))
    return head + body


UPGRADE: Final = (
    b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\nUpgrade: h2c\r\n"
)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("split", [True, False])
def test_an_offered_upgrade_is_ignored_and_the_body_is_a_body(method: str, split: bool) -> None:
    head = f"{method} /first HTTP/1.1\r\nHost: a\r\n".encode() + UPGRADE
    by_length = head + b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
    in_chunks = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk
    after = b"GET /second HTTP/1.1\r\nHost: a\r\n\r\n"
    for data in (by_length + after, in_chunks + after, head + b"\r\n" + after):
        pieces = [bytes([byte]) for byte in data] if split else [data]
        seen, wire = asyncio.run(read_by_us(pieces))
        assert [each.target for each in seen] == [b"/first", b"/second"]
        assert seen[0].body in (SMUGGLED, b"")
        assert not wire.closed
        check(seen, wire, data)


def java_post(body: bytes) -> bytes:
    """What the client of Java 17 sends by default to a server it has not met, byte by byte."""
    return (
        b"POST /v1/assign HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        b"Content-Length: %d\r\nHost: 127.0.0.1:19876\r\n"
        b"HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA\r\nUpgrade: h2c\r\n"
        b"User-Agent: Java-http-client/17.0.15\r\nContent-Type: application/json\r\n\r\n"
    ) % len(body) + body


@pytest.fixture
def twice(client: RawClient) -> Iterator[RawClient]:
    """A connection that still serves another request at the end."""
    yield client
    assert client.ask(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 200


def test_what_javas_client_sends_by_default_is_answered(twice: RawClient) -> None:
    body = b'{"unit": "user-1", "experiments": ["search-order"]}'
    answer = twice.ask(java_post(body))
    assert b"this is not a request" not in answer.body
    assert answer.status in (200, 404), answer.body


def test_curl_may_offer_http2(server: Server) -> None:
    body = '{"unit": "user-1", "experiments": ["search-order"]}'
    command = ["curl", "-sS", "--http2", "-w", "%{http_code} %{num_connects}\n", "-d", body]
    command += ["-H", "Content-Type: application/json", "--max-time", "20", "--noproxy", "*"]
    url = f"{server.url}/v1/assign"
    ended = subprocess.run([*command, url, url], capture_output=True, text=True, check=True)
    ends = [line for line in ended.stdout.splitlines() if re.search(r"\d{3} \d$", line)]
    assert [line[-5:] for line in ends] == ["200 1", "200 0"], ended.stdout


def test_a_client_of_http_1_0_gets_an_answer_without_chunks() -> None:
    class InParts(Recorder):
        async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for part in (b"one", b"", b"two"):
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    for head in (b"", b"Connection: keep-alive\r\n", b"Host: a\r\n"):
        request = b"GET / HTTP/1.0\r\n" + head + b"\r\n"
        _, wire = asyncio.run(read_by_us([request], InParts()))
        answer, _, body = wire.said.partition(b"\r\n\r\n")
        assert b"transfer-encoding" not in answer
        assert b"connection: close" in answer
        assert (body, wire.closed) == (b"onetwo", True)
    _, wire = asyncio.run(read_by_us([b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"], InParts()))
    assert wire.said.endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
    assert not wire.closed


def test_a_client_that_sends_no_more_is_answered_what_it_asked(server: Server) -> None:
    with connected(server.url) as client:
        for path in ("/v1/snapshot", "/healthz", "/v1/assign/search-order/user-1"):
            client.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        client.socket.shutdown(socket.SHUT_WR)
        assert [client.answer() is not None for _ in range(3)] == [True] * 3
        assert client.answer() is None
    with connected(server.url) as client:
        client.send(b"POST /v1/assign HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
        client.socket.shutdown(socket.SHUT_WR)
        assert client.answer() is None
