"""Clients that take their time hold nothing up, and not for long."""

import asyncio
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from allotment.server.connection.deadlines import Allowance, Clock, Standing, Waits
from allotment.server.http.limits import READ_BYTES_A_SECOND_MIN, UNREAD_SECONDS
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


def stood(moves: list[int], waits: list[Waits] | None = None) -> int:
    """After how many seconds a client is cut off that takes so many bytes, one number a second.

    0 where it is not.
    """
    clock, moved = Clock(0.0), 0
    for second, more in enumerate(moves, 1):
        moved += more
        standing = Standing(waits[second - 1] if waits else Waits.READER, 1, moved)
        if clock.overdue(standing, Allowance(10, 10, 10), float(second)):
            return second
    return 0


def test_a_reader_takes_answers_at_a_least_rate() -> None:
    rate, hour = READ_BYTES_A_SECOND_MIN, 3600
    assert stood([0] * hour) == UNREAD_SECONDS + 2, "who takes nothing"
    drip = [int(second % 29 == 0) for second in range(hour)]
    assert stood(drip) == UNREAD_SECONDS + 2, "a byte every 29 s"
    assert stood([rate // 2] * hour) <= 2 * UNREAD_SECONDS + 4
    assert stood([rate] * hour) == 0, "who is slow and steady"
    # A pause once in a while is made good by what was taken before it, and no other way.
    assert stood(([50 * rate] + [0] * 20) * 100) == 0
    assert stood(([5 * rate] + [0] * 20) * 100) > 0
    # What we take ourselves to make more of the answer is not the reader's.
    ours = [Waits.READER if second % 60 == 0 else Waits.WORK for second in range(hour)]
    assert stood([100] * hour, ours) == 0


def test_the_time_of_a_reader_begins_anew_with_each_request() -> None:
    clock, allowed = Clock(0.0), Allowance(10, 10, 10)
    for second in range(1, 300):
        standing = Standing(Waits.READER, second // 20, second)
        assert not clock.overdue(standing, allowed, float(second))


@pytest.mark.soak
def test_a_reader_that_drips_gives_its_share_of_the_answers_back(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        with server.client() as client:
            ids = [f"{n:057d}" for n in range(400_000)]
            client.put("/v1/catalog/segments/s", json={"include": ids}).raise_for_status()
        handles = Path(f"/proc/{server.process.pid}/fd")
        before = len([*handles.iterdir()])
        with connected(server.url) as reader:
            reader.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.send(get("/v1/catalog/segments/s"))
            assert reader.socket.recv(1024)
            began = time.monotonic()
            while len([*handles.iterdir()]) > before:
                with suppress(TimeoutError):
                    reader.socket.settimeout(1)
                    reader.socket.recv(1024)
                time.sleep(1)
                assert time.monotonic() - began < 80, "it keeps the answer for ever"
            assert time.monotonic() - began > UNREAD_SECONDS - 2
