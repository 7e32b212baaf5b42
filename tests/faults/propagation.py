"""How long a change takes from where it was made to somewhere else."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpx

from faults.readers import STEADY
from faults.storm import Author

PROMISED = 0.25  # seconds, at the 99th percentile
OVERLOADED = 0.005  # seconds; a machine at rest wakes a thread within a tenth of that
HOPS = 5
ASSIGNED = f"/v1/assign/{STEADY}/unit"


def revision_of(response: httpx.Response) -> int:
    """The revision that an answer is of; it is no refusal."""
    assert response.is_success, response.text
    return int(response.headers["allotment-revision"])


def check_propagation(
    author: Author, routes: Sequence[tuple[httpx.Client, httpx.Client]], changes: int
) -> None:
    """Who changes something reads it at once; elsewhere it is read soon. Prints how soon.

    A route is who writes and who asks elsewhere. On a machine that has too much to do, everything
    is late: how late a thread wakes that only sleeps is measured meanwhile, and where that is much,
    it is allowed for, as on its way a change waits for several such threads.
    """
    took = []
    with _stalling() as stalls:
        for writes, asks in itertools.islice(itertools.cycle(routes), changes):
            revision = revision_of(author.ask(writes))
            answered = time.monotonic()
            assert revision_of(writes.get(ASSIGNED)) >= revision
            while revision_of(asks.get(ASSIGNED)) < revision:
                assert time.monotonic() < answered + 10
                time.sleep(0.001)
            took.append(time.monotonic() - answered)
    at_50, at_99, stalled = _percentile(took, 50), _percentile(took, 99), _percentile(stalls, 99)
    print(  # shown where the test fails, and with -rP
        f"{changes} changes: there after {at_50 * 1000:.0f} ms at p50, {at_99 * 1000:.0f} ms at"
        f" p99; the machine itself stalls for {stalled * 1000:.1f} ms at p99"
    )
    assert at_99 <= PROMISED + (HOPS * stalled if stalled > OVERLOADED else 0)


@contextmanager
def _stalling() -> Iterator[list[float]]:
    """How much later than it wanted a thread that only sleeps woke, in seconds."""
    over = threading.Event()
    late: list[float] = []

    def sleep() -> None:
        while not over.is_set():
            began = time.monotonic()
            over.wait(0.01)
            late.append(time.monotonic() - began - 0.01)

    thread = threading.Thread(target=sleep)
    thread.start()
    try:
        yield late
    finally:
        over.set()
        thread.join()


def _percentile(values: list[float], percent: int) -> float:
    return sorted(values)[(len(values) * percent - 1) // 100]
