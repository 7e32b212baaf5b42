"""Ten times more than can be done: what is done is done as quickly, and the rest is told so."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import cast
from urllib.parse import urlsplit

import pytest
import uvloop

from allotment.server.connection.overload import FLOOR, REFUSALS_AT_EASE, Load
from rawclient import connected, get
from serving import Server, serving

CATALOG = Path(__file__).parents[3] / "examples" / "serve" / "catalog.yaml"
REQUEST = get("/v1/assign/search-order/user-1")
CAPACITY = 64  # requests at once, from which on more at once are not answered any sooner


@dataclass
class Measured:
    """What some clients got that asked again as soon as they were answered.

    `good` is how many good answers the server gave for a second of its processor's time: how busy
    the machine is with other things does not matter.
    """

    seconds: float
    statuses: Counter[int] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    refusals: set[bytes] = field(default_factory=set)
    processor: float = 0.0

    @property
    def good(self) -> float:
        return self.statuses[200] / self.processor

    @property
    def p99(self) -> float:
        return quantiles(self.took, n=100)[98]


class Asking(asyncio.Protocol):
    """A client that asks again as soon as it is answered."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def begin(self, measured: Measured) -> None:
        self.measured = measured
        self.ask()

    def ask(self) -> None:
        self.begun = time.perf_counter()
        self.transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        if not data.startswith(b"HTTP/1.1 "):  # the body, if it comes by itself
            return
        status = int(data[9:12])
        self.measured.statuses[status] += 1
        if status == 200:
            self.measured.took.append(time.perf_counter() - self.begun)
        else:
            self.measured.refusals.add(data)
        self.ask()


def processor_seconds(server: Server) -> float:
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ask(server: Server, clients: int, seconds: float) -> Measured:
    async def together() -> Measured:
        address = urlsplit(server.url)
        loop = asyncio.get_running_loop()
        opened = [
            await loop.create_connection(Asking, address.hostname, address.port)
            for _ in range(clients)
        ]
        measured = Measured(seconds)
        began = processor_seconds(server)
        for _, asking in opened:
            asking.begin(measured)
        await asyncio.sleep(seconds)
        measured.processor = processor_seconds(server) - began
        for transport, _ in opened:
            transport.abort()
        return measured

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(together())


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes on as much at once as it can do, and no more."""
    folder = tmp_path_factory.mktemp("small")
    env = {"ALLOTMENT_CONCURRENCY": str(CAPACITY)}
    with serving(folder, catalog=CATALOG, env=env) as served:
        ask(served, CAPACITY, 1)  # warm
        yield served


def test_ten_times_the_load_is_refused_without_losing_what_can_be_done(small: Server) -> None:
    # By turns, as a neighbour on the machine slows down the processor itself.
    runs = [ask(small, clients, 1) for clients in (CAPACITY, 10 * CAPACITY) * 7]
    peaks, overs = runs[::2], runs[1::2]
    assert all(set(peak.statuses) == {200} for peak in peaks)
    assert all(set(over.statuses) == {200, 503} for over in overs)
    # What is promised is 0.8, which needs a quiet machine (below); refusing at once gives 0.25.
    assert median(over.good for over in overs) >= 0.6 * median(peak.good for peak in peaks)
    assert min(over.p99 for over in overs) <= 5 * min(peak.p99 for peak in peaks) + 0.1
    for refusal in set[bytes]().union(*(over.refusals for over in overs)):
        assert b"\r\nretry-after: 1\r\n" in refusal
        assert b"\r\ncontent-type: application/problem+json\r\n" in refusal


@pytest.mark.soak
def test_with_the_usual_settings_ten_times_the_clients_get_four_fifths_of_the_answers(
    tmp_path: Path,
) -> None:
    """By the clock on the wall: on a machine that has nothing else to do."""
    with serving(tmp_path, catalog=CATALOG) as server:
        ask(server, CAPACITY, 2)
        runs = [ask(server, clients, 10) for clients in (CAPACITY, 10 * CAPACITY) * 3]
        rates = [run.statuses[200] / run.seconds for run in runs]
        peak, over = median(rates[::2]), median(rates[1::2])
        assert over >= 0.8 * peak


def test_it_is_as_before_once_the_load_is_gone(small: Server) -> None:
    assert ask(small, 10 * CAPACITY, 1).statuses[503] > 0
    time.sleep(1)
    after = ask(small, CAPACITY // 2, 1)
    assert set(after.statuses) == {200}


def test_health_is_answered_while_everything_else_is_refused(small: Server) -> None:
    async def together() -> tuple[Measured, list[int]]:
        load = asyncio.create_task(asyncio.to_thread(ask, small, 10 * CAPACITY, 2))
        await asyncio.sleep(0.5)
        health = await asyncio.to_thread(healths)
        return await load, health

    def healths() -> list[int]:
        paths = ("/healthz", "/readyz", "/version") * 5
        with connected(small.url) as client:
            return [client.ask(get(path)).status for path in paths]

    load, health = asyncio.run(together())
    assert load.statuses[503] > 0
    assert health == [200] * 15


def test_a_burst_that_takes_no_time_is_let_in_whatever_its_size(tmp_path: Path) -> None:
    """With the usual settings: ten times as many clients are no load if each asks for little."""
    with serving(tmp_path, catalog=CATALOG) as server, connected(server.url) as client:
        for _ in range(3):
            client.send(REQUEST * 50)
            answers = [client.answer() for _ in range(50)]
            assert all(answer is not None and answer.status == 200 for answer in answers)


# What decides, without a server.


class Request:
    def __init__(self) -> None:
        self.refused = False

    def refuse(self) -> bool:
        self.refused = True
        return True


@pytest.fixture
def load() -> Load:
    return Load(concurrency=1000, lag_seconds=0.05, shed=Counter())


def enter(load: Load, count: int) -> None:
    for _ in range(count):
        load.enter()


def test_a_loop_that_is_late_lets_in_as_many_as_would_have_fitted(load: Load) -> None:
    enter(load, 800)
    load.settle(0.1)
    assert load.limit == 400


def test_a_loop_that_is_on_time_lets_in_more_until_the_ceiling(load: Load) -> None:
    enter(load, 800)
    load.settle(0.1)
    load.in_flight = 0
    limits = []
    for _ in range(20):
        load.settle(0.0)
        limits.append(load.limit)
    assert limits == sorted(limits)
    assert limits[-1] == 1000, "within half a second"


def test_however_late_it_is_some_are_let_in(load: Load) -> None:
    enter(load, 800)
    for _ in range(10):
        load.settle(10.0)
    assert load.limit == FLOOR


def test_refusals_leave_at_a_steady_pace(load: Load) -> None:
    requests = [Request() for _ in range(1000)]

    async def half_a_beat() -> None:
        load.start()
        for request in requests:
            load.refuse(request)
        assert not any(request.refused for request in requests)
        await asyncio.sleep(0.05)

    asyncio.run(half_a_beat())
    refused = sum(request.refused for request in requests)
    assert 0 < refused <= 10 * REFUSALS_AT_EASE
    assert load.shed["busy"] == 1000
    load.stop()
    assert all(request.refused for request in requests)
