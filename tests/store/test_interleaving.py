"""Writers and readers at once: revisions come one after the other, and no reader misses one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from allotment.change.commands import Command, Create
from allotment.model.segment import Segment
from allotment.store import Head, Once, Store, Stored
from postgres import Postgres
from store.examples import NOON, NORDICS, commit


class Gate:
    """A commit that stops before it ends, its revision taken and its rows written, until `open`."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def record(self, _stored: Stored, _commands: Sequence[Command]) -> bytes:
        self.reached.set()
        assert self.open.wait(20)
        return b""


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_a_later_commit_waits_for_an_earlier_one_and_readers_wait_for_neither(
    store: Store, database: str, threads: ThreadPoolExecutor
) -> None:
    # With a sequence, the second would take its number and be seen first; whoever then asks for
    # what is newer than that number never sees the first.
    gate = Gate()
    with Store.open(database) as second, Store.open(database) as reader:
        slow = threads.submit(
            store.commit,
            [Create(Segment("slow"))],
            who="",
            when=NOON,
            dialect="test",
            once=Once("k", "d", gate.record),
        )
        assert gate.reached.wait(20)
        quick = threads.submit(commit, second, Create(Segment("quick")))
        for _ in range(20):
            began = time.monotonic()
            assert reader.read().catalog.revision == 0
            assert reader.pulse().heads == {"default/production": Head()}
            assert reader.journal() == ()
            assert time.monotonic() - began < 1
            assert not quick.done()
            time.sleep(0.01)
        gate.open.set()
        assert slow.result(20).stored.catalog.revision == 1
        assert quick.result(20) == 2
        assert set(reader.catalog().segments) == {"slow", "quick"}
        assert set(reader.catalog(1).segments) == {"slow"}


def test_writers_of_different_spaces_do_not_wait_for_each_other(
    postgres: Postgres, threads: ThreadPoolExecutor
) -> None:
    # SQLite has one lock for all of them.
    gate = Gate()
    with Store.open(postgres.fresh()) as store:
        store.create_space("shop/production", who="", when=NOON)
        slow = threads.submit(
            store.commit, [], who="", when=NOON, dialect="t", once=Once("k", "d", gate.record)
        )
        assert gate.reached.wait(20)
        assert commit(store.at("shop/production"), Create(NORDICS)) == 1
        gate.open.set()
        slow.result(20)


def test_no_reader_misses_a_revision_or_goes_back(
    store: Store, database: str, threads: ThreadPoolExecutor
) -> None:
    stop = threading.Event()
    with Store.open(database) as other, Store.open(database) as elsewhere:

        def write(name: str) -> None:
            node = store if name in "ab" else other
            for number in range(25):
                commit(node, Create(Segment(f"{name}-{number}")))

        def follow(node: Store) -> list[Stored]:
            seen = [node.read()]
            while not stop.is_set():
                seen.append(node.read())
            return [*seen, node.read()]

        readers = [threads.submit(follow, node) for node in (store, elsewhere, elsewhere)]
        list(threads.map(write, "abcd"))
        stop.set()
        history = [other.read(revision) for revision in range(101)]
        assert len(history[-1].catalog.segments) == 100
        for reader in readers:
            seen = reader.result(20)
            revisions = [stored.catalog.revision for stored in seen]
            assert revisions == sorted(revisions)
            assert revisions[-1] == 100
            for stored in {one.catalog.revision: one for one in seen}.values():
                assert stored == history[stored.catalog.revision]
