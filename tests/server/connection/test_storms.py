"""Storms of callers at the figures of a review: what they ask takes nothing from the others."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from rawclient import RawClient, connected, get, post
from serving import Server, serving

CATALOG = Path(__file__).parents[3] / "examples" / "serve" / "catalog.yaml"
STORM = 1_100
SLOW_READERS = 40
MEBIBYTE = 1 << 20
ONE = get("/v1/assign/search-order/user-1")


@pytest.fixture
def stormed(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, catalog=CATALOG) as server:
        yield server


def probes(client: RawClient, count: int) -> tuple[Counter[int], float]:
    """How so many assignments are answered, and how long the slowest takes."""
    statuses: Counter[int] = Counter()
    slowest = 0.0
    for _ in range(count):
        began = time.monotonic()
        statuses[client.ask(ONE).status] += 1
        slowest = max(slowest, time.monotonic() - began)
    return statuses, slowest


def test_1100_bodies_that_dawdle_on_resolve_refuse_no_assignment(stormed: Server) -> None:
    """In the review 146 of 156 assignments were answered 503."""
    head, _ = post("/v1/flags:resolve", b"{" + b" " * 500 + b"}").split(b"\r\n\r\n", 1)
    with ExitStack() as opened:
        for _ in range(STORM):
            dawdler = opened.enter_context(connected(stormed.url))
            dawdler.send(head + b"\r\n\r\n{")
        with connected(stormed.url) as client:
            statuses, slowest = probes(client, 156)
    assert statuses == {200: 156}
    assert slowest < 2.0


def test_1100_explanations_of_the_past_closed_at_once_refuse_no_assignment(
    stormed: Server,
) -> None:
    """In the review 138 of 173 probes were answered 503, for 100 s."""
    with stormed.client() as client:
        for number in range(40):  # revisions to ask for
            flag = {"variations": {"on": number, "off": False}, "default": "off"}
            client.put("/v1/catalog/flags/f", json=flag).raise_for_status()
        revision = client.get("/v1/snapshot").json()["revision"]
    began = time.monotonic()
    for number in range(STORM):
        past = revision - number % 40
        body = b'{"experiment": "search-order", "unit": "u", "revision": %d}' % max(past, 1)
        with connected(stormed.url) as client:
            client.send(post("/v1/explain", body))
    with connected(stormed.url) as client:
        statuses, slowest = probes(client, 173)
        assert statuses == {200: 173}
        assert slowest < 2.0
        # The work of callers who are gone is not done, so the next one's begins soon.
        question = b'{"experiment": "search-order", "unit": "u", "revision": 1}'
        assert client.ask(post("/v1/explain", question)).status == 200
    assert time.monotonic() - began < 30


@pytest.mark.memory
def test_large_answers_that_are_not_read_have_a_budget_together(stormed: Server) -> None:
    """40 answers of 16 MiB would be 640 MiB; 256 MiB of them are kept, and the rest is refused."""
    ids = [f"{n:016d}" for n in range(14)]
    with stormed.client() as client:
        for name in ids:
            include = [f"{name}-{n:047d}" for n in range(16_384)]
            answer = client.put(f"/v1/catalog/segments/s{name}", json={"include": include})
            answer.raise_for_status()
        assert len(client.get("/v1/catalog/segments").content) > 14 * MEBIBYTE
    before = stormed.memory()
    with ExitStack() as opened:
        readers = [opened.enter_context(connected(stormed.url, 60)) for _ in range(SLOW_READERS)]
        for reader in readers:
            reader.send(get("/v1/catalog/segments"))
        # A head of either kind comes at once; of a body no more is read.
        statuses = Counter(int(reader.incoming.readline().split()[1]) for reader in readers)
        assert set(statuses) == {200, 503}, statuses
        assert statuses[200] <= 18, statuses  # 256 MiB have room for so many
        with connected(stormed.url) as client:
            assert probes(client, 50)[0] == {200: 50}
        assert stormed.memory() - before < 700 * MEBIBYTE
    deadline = time.monotonic() + 30
    while httpx.get(f"{stormed.url}/v1/catalog/segments", trust_env=False).status_code == 503:
        assert time.monotonic() < deadline, "the room is not given back"
