"""Clients that take their time hold nothing up, and not for long."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from rawclient import connected, get, post
from serving import Server, serving

LONGEST = 15.0  # seconds that a client may keep a connection without getting on

PARTIAL = get().removesuffix(b"\r\n")
HEAD = post("/v1/assign", b"").replace(b"Length: 0", b"Length: 1000")


async def opened(server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(server.url)
    return await asyncio.open_connection(address.hostname, address.port)


async def lives(server: Server, first: bytes, drip: bytes) -> tuple[float, bytes]:
    """How long a client lasts that sends `first` and then a byte a second; what it was told."""
    reader, writer = await opened(server)
    began = time.monotonic()
    writer.write(first)
    told = asyncio.create_task(reader.read())
    while not told.done():
        if drip:
            writer.write(drip)
        await asyncio.wait([told], timeout=1)
    writer.close()
    return time.monotonic() - began, told.result()


async def asks(server: Server, until: asyncio.Event) -> list[float]:
    """How long each answer takes that a good client gets, meanwhile."""
    reader, writer = await opened(server)
    took = []
    while not until.is_set():
        began = time.monotonic()
        writer.write(get())
        await reader.readuntil(b"\r\n\r\n")
        await reader.readuntil(b"}")
        took.append(time.monotonic() - began)
        await asyncio.sleep(0.02)
    writer.close()
    return took


def test_hundreds_of_slow_clients_are_gone_in_time_and_a_good_one_notices_nothing(
    server: Server,
) -> None:
    async def together() -> tuple[list[tuple[float, bytes]], list[float]]:
        done = asyncio.Event()
        good = asyncio.create_task(asks(server, done))
        slow = [
            *(lives(server, PARTIAL, b"X") for _ in range(200)),
            *(lives(server, HEAD, b" ") for _ in range(50)),
            *(lives(server, HEAD, b"") for _ in range(20)),
            *(lives(server, b"", b"") for _ in range(20)),
        ]
        results = await asyncio.gather(*slow)
        done.set()
        return list(results), await good

    results, took = asyncio.run(together())
    assert max(lasted for lasted, _ in results) <= LONGEST
    assert min(lasted for lasted, _ in results) > 9, "who is merely slow is given the time"
    told = [answer for _, answer in results]
    assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in told[:270])
    assert set(told[270:]) == {b""}, "who asked nothing is told nothing"
    assert statistics.quantiles(took, n=100)[98] < 0.25


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that gives its clients a second."""
    kinds = ("HEADER", "BODY", "KEEP_ALIVE")
    environment = {f"ALLOTMENT_{kind}_SECONDS": "1" for kind in kinds}
    with serving(tmp_path_factory.mktemp("impatient"), env=environment) as served:
        yield served


def test_a_client_that_is_slow_and_steady_is_heard_out(impatient: Server) -> None:
    """It takes twice the silence that is allowed, but is never that silent."""
    body = b'{"unit": "user-1"}' + b" " * 5000
    with connected(impatient.url) as client:
        client.send(post("/v1/assign", body).removesuffix(body))
        for start in range(0, len(body), 1300):
            time.sleep(0.6)
            client.send(body[start : start + 1300])
        answer = client.answer()
        assert answer is not None
        assert answer.status != 408


def test_an_idle_connection_is_closed_when_its_time_is_over(impatient: Server) -> None:
    with connected(impatient.url) as client:
        assert client.ask(get()).status == 200
        began = time.monotonic()
        assert client.answer() is None
        assert 1 <= time.monotonic() - began < 5


@pytest.mark.soak
def test_a_client_that_goes_on_after_it_was_answered_is_cut_off(impatient: Server) -> None:
    """A body that nobody reads any more is thrown away for a while, and not for ever."""
    with connected(impatient.url, patience=20) as client:
        head = post("/nowhere", b"").replace(b"Length: 0", b"Length: 1000000000")
        assert client.ask(head).status == 404
        began = time.monotonic()
        with suppress(ConnectionError):
            while time.monotonic() - began < 20:
                client.send(b"x" * 10_000)
                time.sleep(0.05)
        assert 5 < time.monotonic() - began < 15
