"""Two processes that share a port and a SQLite file answer as one."""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext

import httpx
import pytest

from allotment.change.commands import SetWeights
from faults.history import check_file, check_history, commit, lay
from faults.processes import family, holder
from faults.propagation import ASSIGNED, check_propagation, revision_of
from faults.readers import STEADY, reading
from faults.storm import Author, Storm, native
from faults.waiting import wait_for
from serving import Server, serving

UNITS = [f"unit-{number}" for number in range(10_000)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    lay(folder / "allotment.db")
    with serving(folder, workers=2) as running:
        yield running


@pytest.fixture
def clients(server: Server) -> Iterator[dict[int, httpx.Client]]:
    """A client for each of the two processes, by its id; a connection stays with its process."""
    with ExitStack() as stack:
        found: dict[int, httpx.Client] = {}

        def connect() -> bool:
            client = stack.enter_context(server.client())
            stream = client.get("/healthz").extensions["network_stream"]
            _, port = stream.get_extra_info("client_addr")
            found[holder(family(server.process.pid), port)] = client
            return len(found) == 2

        wait_for(connect, 10)
        yield found


def test_a_process_answers_from_a_change_at_once_and_the_other_within_250_milliseconds(
    clients: dict[int, httpx.Client],
) -> None:
    check_propagation(Author(0), list(itertools.permutations(clients.values())), 200)


def test_whoever_names_a_revision_is_never_answered_from_an_older_one(
    clients: dict[int, httpx.Client],
) -> None:
    author = Author(1)
    turns = itertools.cycle(itertools.permutations(clients.values()))
    for writes, asks in itertools.islice(turns, 100):
        revision = revision_of(author.ask(writes))
        wanted = {"allotment-min-revision": str(revision)}
        assert revision_of(asks.get(ASSIGNED, headers=wanted)) >= revision


def test_when_one_process_is_killed_the_other_goes_on_and_it_is_replaced(
    server: Server, clients: dict[int, httpx.Client]
) -> None:
    database = server.folder / "allotment.db"
    base = commit(database)
    storm = Storm([server.client], range(2, 8))
    (victim, _), (survivor, client) = clients.items()
    with reading(lambda: nullcontext(client)) as reader:
        with storm.blowing(may_be_cut_off=True):
            storm.wait(50)
            os.kill(victim, signal.SIGKILL)
            reader.go_on()
        wait_for(lambda: len(family(server.process.pid)) == 3, 20)
        assert survivor in family(server.process.pid)
        with storm.blowing():
            storm.wait(50)
    storm.settle()
    check_history(database, storm, base)
    check_file(database)


def test_a_batch_is_of_one_revision_while_new_ones_are_published(
    clients: dict[int, httpx.Client],
) -> None:
    """Each revision deals everyone the other treatment: a batch of two of them would show it."""
    here, _ = clients.values()
    dealt: dict[int, str] = {}
    over = threading.Event()

    def publish() -> None:
        for number, treatment in enumerate(itertools.cycle(("green", "control"))):
            if over.is_set():
                return
            weights = tuple((each, 100 * (each == treatment)) for each in ("control", "green"))
            deal = native(f"deal-{number}", SetWeights(STEADY, "everyone", weights, 100))
            dealt[revision_of(deal.send(here))] = treatment

    batches: list[tuple[int, set[str]]] = []
    asked = {"units": UNITS, "experiments": [STEADY]}
    thread = threading.Thread(target=publish)
    thread.start()
    try:
        wait_for(lambda: dealt, 10)
        since = {"allotment-min-revision": str(min(dealt))}
        # Each process in turn, on connections of their own: `here` publishes.
        for process in itertools.islice(itertools.cycle(clients), 40):
            answer = clients[process].post("/v1/assign/batch", json=asked, headers=since)
            body = answer.json()
            assert len(body["units"]) == len(UNITS)
            assert body["revision"] == revision_of(answer)
            given = {each["assignments"][STEADY]["treatment"] for each in body["units"]}
            batches.append((body["revision"], given))
    finally:
        over.set()
        thread.join()
    assert [batch for batch in batches if batch[1] != {dealt.get(batch[0])}] == []
    assert len({revision for revision, _ in batches}) > 10
