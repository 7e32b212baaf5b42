"""What one kind of caller does takes nothing from the others: places, room, and the past."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from allotment.errors import Overloaded
from allotment.server.connection import head
from allotment.server.connection.cycle import Cycle
from allotment.server.connection.overload import Load
from allotment.server.http.limits import BODIES_BYTES_MAX, PAGE_BYTES_MAX, STRANGERS_MAX
from allotment.server.sync.node import PAST_WAITING_MAX
from rawclient import connected, get, post
from serving import Server, serving

CATALOG = Path(__file__).parents[3] / "examples" / "serve" / "catalog.yaml"
SLOW_PAST = Path(__file__).with_name("slow_past.py")
Noted = tuple[Server, Path, Path]
PLACES = 20
DAWDLING = 3 * PLACES


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with few places."""
    env = {"ALLOTMENT_CONCURRENCY": str(PLACES)}
    with serving(tmp_path_factory.mktemp("crowded"), env=env, catalog=CATALOG) as served:
        yield served


@pytest.mark.parametrize("path", ["/v1/flags:resolve", "/v1/assign", "/v1/commands"])
def test_bodies_that_dawdle_take_no_place(crowded: Server, path: str) -> None:
    head, body = post(path, b"{" + b" " * 500 + b"}").split(b"\r\n\r\n", 1)
    with ExitStack() as opened:
        dawdlers = [opened.enter_context(connected(crowded.url)) for _ in range(DAWDLING)]
        for dawdler in dawdlers:
            dawdler.send(head + b"\r\n\r\n" + body[:10])
        with connected(crowded.url) as client:
            for _ in range(50):
                assert client.ask(get("/v1/assign/search-order/user-1")).status == 200
                dawdlers[0].send(b" ")
        for dawdler in dawdlers[1:]:
            dawdler.send(body[10:])
        statuses = Counter(answer.status for each in dawdlers[1:] if (answer := each.answer()))
        assert sum(statuses.values()) == DAWDLING - 1
    with connected(crowded.url) as client:  # no place was lost
        assert client.ask(get("/v1/assign/search-order/user-1")).status == 200


def test_a_request_leaves_its_place_while_it_waits_for_its_body_and_takes_it_again() -> None:
    async def played() -> None:
        load = Load(2, 0.1, Counter())
        load.in_flight = 2
        one, gone, late = cycle_of(load), cycle_of(load), cycle_of(load)
        first = asyncio.ensure_future(one.receive())
        cancelled = asyncio.ensure_future(gone.receive())
        await asyncio.sleep(0)
        assert load.in_flight == 0
        cancelled.cancel()
        one.body += b"part"
        one.message_event.set()
        assert (await first)["body"] == b"part"
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        assert load.in_flight == 2
        one.more_body = False
        assert await one.receive() == {"type": "http.request", "body": b"", "more_body": False}
        assert load.in_flight == 2
        last = asyncio.ensure_future(late.receive())
        await asyncio.sleep(0)
        load.in_flight += 1  # another took the place meanwhile
        late.more_body = False
        late.message_event.set()
        with pytest.raises(Overloaded):
            await last
        assert (load.in_flight, load.shed["busy"]) == (3, 1)

    asyncio.run(played())


def test_callers_who_are_not_known_yet_have_a_budget_of_their_own(server: Server) -> None:
    head, body = post("/v1/flags:resolve", b'{"flags": []}').split(b"\r\n\r\n", 1)
    with ExitStack() as opened:
        dawdlers = [opened.enter_context(connected(server.url)) for _ in range(STRANGERS_MAX)]
        for dawdler in dawdlers:
            dawdler.send(head + b"\r\n\r\n" + body[:5])
        until = time.monotonic() + 15
        with connected(server.url) as client:
            while client.ask(head + b"\r\n\r\n" + body).status != 503:
                assert time.monotonic() < until
        with connected(server.url) as client:
            assert client.ask(get("/v1/snapshot")).status == 200
    with connected(server.url) as client:
        while client.ask(head + b"\r\n\r\n" + body).status == 503:
            assert time.monotonic() < until


def cycle_of(load: Load) -> Cycle:
    connection: Any = SimpleNamespace(
        transport=SimpleNamespace(is_closing=lambda: False),
        flow=SimpleNamespace(resume_reading=lambda: None),
        on_response_complete=None,
        state=SimpleNamespace(load=load, access_log=False),
    )
    return Cycle(connection, {"method": "POST", "path": "/", "state": {}}, head.RequestHead(), True)


def test_the_bodies_of_all_requests_together_have_a_budget() -> None:
    load = Load(1000, 0.1, Counter())
    one, other = cycle_of(load), cycle_of(load)
    one.hold(BODIES_BYTES_MAX - 10)
    other.hold(10)
    with pytest.raises(Overloaded, match="bodies and answers of other requests"):
        other.hold(1)
    assert (load.held, load.shed["bodies"]) == (BODIES_BYTES_MAX, 1)


def test_what_a_request_held_is_given_back_when_it_ends(crowded: Server) -> None:
    with connected(crowded.url) as client:
        for _ in range(8):  # more than the budget, one after the other
            answer = client.ask(post("/v1/commands", b" " * (40 << 20)))
            assert answer.status == 400, answer.body


def test_the_past_has_few_places_and_an_assignment_does_not_wait_for_it(crowded: Server) -> None:
    with crowded.client() as reader:
        last = reader.get("/v1/snapshot").json()["revision"]
    asked = b'{"experiment": "search-order", "unit": "u", "revision": %d}'
    with ExitStack() as opened:
        gone = [opened.enter_context(connected(crowded.url)) for _ in range(300)]
        for number, client in enumerate(gone):
            client.send(post("/v1/explain", asked % (number % max(1, last))))
            client.socket.shutdown(socket.SHUT_RDWR)
        began = time.monotonic()
        with connected(crowded.url) as client:
            for _ in range(50):
                assert client.ask(get("/v1/assign/search-order/user-1")).status == 200
        assert time.monotonic() - began < 5
    assert PAST_WAITING_MAX < 100


@pytest.fixture
def noted(tmp_path: Path) -> Iterator[Noted]:
    """A server whose catalogs of the past wait for a second file; the first has those begun."""
    notes, goes_on = tmp_path / "notes", tmp_path / "goes-on"
    program = [sys.executable, str(SLOW_PAST), str(notes), str(goes_on), "serve"]
    with serving(tmp_path, catalog=CATALOG, program=program) as server:
        with server.client() as client:
            for number in range(20):
                flag = {"variations": {"on": number, "off": False}, "default": "off"}
                client.put("/v1/catalog/flags/f", json=flag).raise_for_status()
        notes.write_text("")
        yield server, notes, goes_on


def explanation(revision: int) -> bytes:
    body = b'{"experiment": "search-order", "unit": "u", "revision": %d}' % revision
    return post("/v1/explain", body)


def test_an_explanation_whose_client_hangs_up_is_not_begun(noted: Noted) -> None:
    server, notes, goes_on = noted
    with connected(server.url) as first, connected(server.url) as last:
        first.send(explanation(1))
        until(lambda: notes.read_text() == "1\n")
        with ExitStack() as opened:
            gone = [opened.enter_context(connected(server.url)) for _ in range(10)]
            for revision, client in enumerate(gone, 2):
                client.send(explanation(revision))
        time.sleep(3.5)  # the first look for their clients, and the second
        goes_on.touch()
        answer = first.answer()
        assert answer is not None
        assert answer.status == 200
        assert last.ask(explanation(12)).status == 200
    assert notes.read_text().split() == ["1", "12"]


def test_an_explanation_that_is_under_way_ends_with_its_step_when_its_client_hangs_up(
    noted: Noted,
) -> None:
    """Reading the store is not broken off; nothing of what would follow is done."""
    server, notes, goes_on = noted
    with connected(server.url) as client:
        client.send(explanation(1))
        until(lambda: notes.read_text() == "1\n")
    time.sleep(3.5)
    goes_on.touch()
    with connected(server.url) as client:
        assert client.ask(explanation(2)).status == 200
        metrics = client.ask(get("/metrics")).body.decode()
    assert 'allotment_assignments_total{path="/v1/explain"} 1.0' in metrics
    assert notes.read_text().split() == ["1", "2"]


def test_a_client_that_sends_no_more_and_waits_gets_its_explanation(noted: Noted) -> None:
    server, notes, goes_on = noted
    with connected(server.url) as client:
        client.send(explanation(1))
        client.socket.shutdown(socket.SHUT_WR)
        time.sleep(3.5)
        goes_on.touch()
        while (answer := client.answer()) is not None and answer.status == 100:
            pass
        assert answer is not None
        assert answer.status == 200
    assert notes.read_text().split() == ["1"]


def test_assignments_and_token_changes_wait_for_no_read(noted: Noted) -> None:
    """The past is full, and so are the reads, behind a store that is slow to be read."""
    server, notes, goes_on = noted
    with ExitStack() as opened:
        for revision in range(1, 21):
            reader = opened.enter_context(connected(server.url))
            reader.send(get(f"/v1/snapshot?revision={revision}"))
            other = opened.enter_context(connected(server.url))
            other.send(get("/api/v2/experimentation/experiments"))
        until(lambda: notes.read_text() != "")
        began = time.monotonic()
        with server.client() as client:
            long = {"unit": "u", "attributes": {"list": ["x"] * 2_000}}
            for path in ("/v1/assign", "/v1/resolve"):
                assert client.post(path, json=long).status_code == 200
            made = client.post("/v1/tokens", json={"scope": "read"})
            assert made.status_code == 201
            assert client.delete(f"/v1/tokens/{made.json()['id']}").status_code == 204
        assert time.monotonic() - began < 2
        goes_on.touch()


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_page_of_the_journal_ends_early_where_its_changes_are_large(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    size = 3 << 20
    with serving(tmp_path_factory.mktemp("journal")) as served, served.client() as client:
        for number in range(7):
            ids = [f"{number}-{at:0400d}" for at in range(size // 403)]
            answer = client.put("/v1/catalog/segments/long", json={"include": ids})
            assert answer.is_success, answer.text
        pages, before = [], None
        while True:
            query = {"limit": 1000} | ({} if before is None else {"before": before})
            page = client.get("/v1/journal", params=query).json()
            pages.append([entry["revision"] for entry in page["entries"]])
            before = page["next"]
            if before is None:
                break
    assert [revision for page in pages for revision in page] == [7, 6, 5, 4, 3, 2, 1]
    assert max(map(len, pages)) * size <= PAGE_BYTES_MAX < 7 * size
