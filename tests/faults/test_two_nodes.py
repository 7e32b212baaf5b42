"""Two servers on one PostgreSQL: none goes back, both end alike, and news travels fast."""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from faults.history import check_history, commit, lay
from faults.propagation import ASSIGNED, check_propagation, revision_of
from faults.storm import LATER, Author, Storm
from faults.waiting import wait_for
from postgres import Postgres
from serving import Server, serving

Nodes = tuple[Server, Server]


@pytest.fixture
def database(postgres: Postgres) -> str:
    url = postgres.fresh()
    lay(url)
    return url


@pytest.fixture
def nodes(tmp_path: Path, database: str) -> Iterator[Nodes]:
    with two_nodes(tmp_path, database) as both:
        yield both


@contextmanager
def two_nodes(
    tmp_path: Path, database: str, env: Mapping[str, str] | None = None
) -> Iterator[Nodes]:
    with ExitStack() as stack:
        folders = [tmp_path / "a", tmp_path / "b"]
        for folder in folders:
            folder.mkdir()
        first, second = (
            stack.enter_context(serving(folder, database_url=database, env=env))
            for folder in folders
        )
        yield first, second


class Observer:
    """Reads the whole snapshot of one node again and again.

    `seen` is, by revision, the fingerprint and the digest of the catalog; `wrong` what must not be.
    """

    def __init__(self, server: Server) -> None:
        self.seen: dict[int, set[tuple[str, str]]] = defaultdict(set)
        self.wrong: list[str] = []
        self.revision = 0
        self._server = server

    def observe(self, client: httpx.Client) -> None:
        response = client.get("/v1/snapshot")
        if response.status_code != 200:
            self.wrong.append(f"{response.status_code} {response.text}")
            return
        shown = response.json()
        content = hashlib.sha256(repr(shown["catalog"]).encode()).hexdigest()
        self.seen[shown["revision"]].add((shown["fingerprint"], content))
        if shown["revision"] < self.revision:
            self.wrong.append(f"from {self.revision} back to {shown['revision']}")
        self.revision = shown["revision"]

    @contextmanager
    def observing(self) -> Iterator[None]:
        over = threading.Event()

        def observe() -> None:
            with self._server.client() as client:
                while not over.wait(0.005):
                    self.observe(client)

        thread = threading.Thread(target=observe)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@contextmanager
def killing_sessions(postgres: Postgres, seconds: float) -> Iterator[list[int]]:
    """End all sessions of all nodes, over and over; gives how many were ended each time."""
    over = threading.Event()
    ended: list[int] = []

    def kill() -> None:
        while not over.wait(seconds):
            ended.append(postgres.kill_sessions("allotment%"))

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield ended
    finally:
        over.set()
        thread.join()


@contextmanager
def asking_for_the_newest(storm: Storm, nodes: Nodes) -> Iterator[list[int]]:
    """Clients that were told of a revision by some node ask each of them for it, or a later one.

    Gives the statuses they got; an earlier revision is an error.
    """
    over = threading.Event()
    statuses: list[int] = []
    wrong: list[str] = []

    def ask() -> None:
        with ExitStack() as stack:
            clients = [stack.enter_context(node.client()) for node in nodes]
            while not over.wait(0.01):
                for client in clients:
                    wanted = storm.last
                    headers = {"allotment-min-revision": str(wanted)}
                    response = client.get(ASSIGNED, headers=headers)
                    statuses.append(response.status_code)
                    if response.is_success and revision_of(response) < wanted:
                        wrong.append(f"{revision_of(response)}, before {wanted}")

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield statuses
    finally:
        over.set()
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    "count", [pytest.param(300, id="300"), pytest.param(5_000, id="5000", marks=pytest.mark.soak)]
)
def test_no_node_goes_back_and_both_end_alike_though_their_sessions_are_killed(
    tmp_path: Path, database: str, postgres: Postgres, count: int
) -> None:
    base = commit(database)
    # They look for news ten times as often as they would, and so run into their own writes.
    with two_nodes(tmp_path, database, {"ALLOTMENT_POLL_MS": "5"}) as nodes, ExitStack() as stack:
        storm = Storm([node.client for node in nodes], range(4))
        observers = [Observer(node) for node in nodes]
        for each in observers:
            stack.enter_context(each.observing())
        with (
            killing_sessions(postgres, 0.5) as ended,
            asking_for_the_newest(storm, nodes) as statuses,
            storm.blowing(),
        ):
            storm.wait(count, count / 5)
        storm.settle()
        latest = check_history(database, storm, base)
        wait_for(lambda: {each.revision for each in observers} == {latest.revision}, 5)
    assert sum(ended) > len(ended) > 0
    assert set(statuses) <= {200, *LATER}
    assert 200 in statuses
    for each in observers:
        assert each.wrong == []
    by_revision = {
        revision: observers[0].seen[revision] | observers[1].seen[revision]
        for revision in observers[0].seen.keys() | observers[1].seen.keys()
    }
    assert {revision: what for revision, what in by_revision.items() if len(what) != 1} == {}
    assert latest.revision in observers[0].seen
    assert latest.revision in observers[1].seen


def test_whoever_names_a_revision_is_never_answered_from_an_older_one(nodes: Nodes) -> None:
    author = Author(0)
    here, there = nodes
    with here.client() as writes, there.client() as asks:
        for _ in range(60):
            revision = revision_of(author.ask(writes))
            wanted = {"allotment-min-revision": str(revision)}
            assert revision_of(asks.get(ASSIGNED, headers=wanted)) >= revision


@pytest.mark.parametrize(
    "changes", [pytest.param(200, id="200"), pytest.param(2_000, id="2000", marks=pytest.mark.soak)]
)
def test_a_change_reaches_the_other_node_within_250_milliseconds(
    nodes: Nodes, changes: int
) -> None:
    here, there = nodes
    with here.client() as writes, there.client() as asks:
        check_propagation(Author(0), [(writes, asks)], changes)
