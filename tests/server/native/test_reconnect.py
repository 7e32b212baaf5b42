"""A server that ends takes the streams of all its clients with it: they come back all at once."""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from crowd import STREAM, Crowd
from rawclient import connected, get
from serving import SHOP, Server, serving

ONE = get("/v1/assign/checkout/someone")


def probe(url: str, seconds: float) -> tuple[Counter[int], list[float]]:
    """How assignments are answered for a while, and how long each took; from a process apart."""
    statuses: Counter[int] = Counter()
    took: list[float] = []
    ends = time.monotonic() + seconds
    with connected(url) as asking:
        while time.monotonic() < ends:
            began = time.monotonic()
            statuses[asking.ask(ONE).status] += 1
            took.append(time.monotonic() - began)
            time.sleep(0.002)
    return statuses, sorted(took)


def peak(server: Server) -> int:
    """The most that the process has had in memory, in bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    (line,) = (each for each in status.splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def come_back(crowd: Crowd, seen: list[tuple[float, bytes]]) -> None:
    """Each opens its stream after the time that the server gave it, with the last id it had."""
    began = time.monotonic()
    for after, last in sorted(seen):
        while (wait := began + after - time.monotonic()) > 0:
            crowd.read(wait)
        crowd.open(STREAM[:-2] + b"last-event-id: " + last + b"\r\n\r\n")
    crowd.read_until(lambda each: b"retry: " in each.got or each.status == 503, 60)


def storm(folder: Path, clients: int, seed: int) -> tuple[Counter[int], list[float], float]:
    """How assignments are answered while so many come back; and how many bytes each client took."""
    with serving(folder, catalog=SHOP) as server:
        with Crowd(server.url) as crowd:
            crowd.open()
            crowd.read_until(lambda each: each.revisions)
            last = bytes(crowd.readers[0].got).partition(b"\nid: ")[2].split(b"\n")[0]
        server.restart()
        dice = random.Random(seed)
        seen = [(dice.uniform(1.0, 10.0), last) for _ in range(clients)]  # as `retry` says
        before = peak(server)
        with (
            ProcessPoolExecutor(1, get_context("spawn")) as pool,
            Crowd(server.url) as crowd,
        ):
            probing = pool.submit(probe, server.url, 10.0)
            come_back(crowd, seen)
            statuses, took = probing.result()
            answered = Counter(each.status for each in crowd.readers)
            # At most half of the connections are streams: the open files allow no more here.
            assert answered.keys() <= {200, 503}
            assert answered[200] >= min(clients, 9_900)
            return statuses, took, (peak(server) - before) / clients


def test_clients_that_come_back_hold_up_no_assignment(tmp_path: Path, seed: int) -> None:
    statuses, took, size = storm(tmp_path, 600, seed)
    assert statuses.keys() == {200}
    assert took[int(len(took) * 0.99)] < 0.05
    assert size < 40_000


@pytest.mark.soak
def test_nor_do_ten_thousand(tmp_path: Path, seed: int) -> None:
    statuses, took, size = storm(tmp_path, 10_000, seed)
    assert statuses.keys() == {200}
    assert took[-1] < 0.05
    assert size < 25_000
