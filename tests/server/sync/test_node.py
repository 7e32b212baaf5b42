"""A node follows its store, never goes back, and goes on while the store is away."""

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from allotment.change.commands import Command, Create, Delete, EndIteration, Rename, SetRules
from allotment.errors import (
    InvalidInput,
    NotFound,
    Overloaded,
    PreconditionFailed,
    StoreError,
    Unauthorized,
)
from allotment.model.segment import Clause, Operator, Segment
from allotment.server.sync import node as nodes
from allotment.server.sync.node import Node
from allotment.store import Committed, Scope, Store, Stored, Token, lastgood
from nouns import FLAG, experiment
from postgres import Postgres
from server.nodes import SPACE, running, until

pytestmark = pytest.mark.anyio


def commit(store: Store, *commands: Command) -> Committed:
    return store.commit(commands, who="another", when=datetime.now(UTC), dialect="test")


async def write(node: Node, *commands: Command, space: str = SPACE) -> Committed:
    return await node.write(space, lambda _stored: commands, dialect="test", who="me")


async def test_a_change_is_served_by_the_time_it_is_done(node: Node) -> None:
    await write(node, Create(FLAG), Create(experiment()))
    for n in range(20):
        done = await write(node, Rename("flag", "button", f"n{n}"))
        served = node.served(SPACE)
        assert served.revision == done.stored.catalog.revision == n + 2
        assert served.headers == ((b"allotment-revision", b"%d" % (n + 2)),)
        assert served.stored.catalog.flags["button"].name == f"n{n}"
    assert node.served(SPACE).engine.assign("checkout", "u").treatment in {"control", "green"}


async def test_a_change_elsewhere_is_served_within_a_quarter_of_a_second(
    node: Node, database: str
) -> None:
    await write(node, Create(FLAG))
    with Store.open(database) as other:
        took = []
        for n in range(20):
            revision = commit(other, Rename("flag", "button", f"n{n}")).stored.catalog.revision
            took.append(await until(lambda r=revision: node.served(SPACE).revision >= r))
    assert sorted(took)[-2] < 0.25, took
    assert node.served(SPACE).stored.catalog.flags["button"].name == "n19"


async def test_following_comes_to_the_same_as_compiling_all(node: Node, database: str) -> None:
    """Writes here and elsewhere, in turn: what is served is what a fresh node would serve."""
    await write(node, Create(FLAG), Create(Segment("se")))
    with Store.open(database) as other:
        for n in range(6):
            rule = Clause(("country",), Operator.IN, (f"C{n}",))
            commit(other, Create(experiment(f"there-{n}")), SetRules("se", (rule,)))
            await write(node, Create(experiment(f"here-{n}")))
            if n:
                gone = f"there-{n - 1}"
                await write(node, EndIteration(gone), Delete("experiment", gone))
    async with running(database) as fresh:
        await until(lambda: node.served(SPACE).revision == fresh.served(SPACE).revision)
        one, other_ = node.served(SPACE), fresh.served(SPACE)
    assert one.stored.catalog == other_.stored.catalog
    assert one.fingerprint == other_.fingerprint
    assert [*one.engine.snapshot.plans] == [*other_.engine.snapshot.plans]


async def test_no_reader_ever_sees_a_revision_go_back(node: Node, database: str) -> None:
    """Two nodes and a bare store write at once; readers in threads watch what is served."""
    await write(node, Create(FLAG))
    seen: list[int] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            served = node.served(SPACE)
            assert served.revision == served.engine.snapshot.revision
            seen.append(served.revision)
            time.sleep(0.0002)

    def disturb() -> None:
        with Store.open(database) as other:
            for n in range(30):
                commit(other, Rename("flag", "button", f"other-{n}"))

    reader = threading.Thread(target=watch)
    reader.start()
    async with running(database) as second:
        await asyncio.gather(
            asyncio.to_thread(disturb),
            *(write(node, Rename("flag", "button", f"one-{n}")) for n in range(30)),
            *(write(second, Rename("flag", "button", f"two-{n}")) for n in range(30)),
        )
        await until(lambda: node.served(SPACE).revision == 91)
        await until(lambda: second.served(SPACE).revision == 91)
        stop.set()
        reader.join()
        assert seen == sorted(seen)
        assert node.served(SPACE).stored == second.served(SPACE).stored


async def test_a_store_put_back_from_a_copy_does_not_take_the_node_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "allotment.db"
    async with running(str(file)) as node:
        await write(node, Create(FLAG))
        await write(node, Rename("flag", "button", "second"))
        with sqlite3.connect(file) as database:
            for table in ("document", "journal"):
                database.execute(f"DELETE FROM {table} WHERE revision > 1")
            database.execute("UPDATE space SET revision = 1")
        await until(lambda: "was put back" in caplog.text)
        assert node.served(SPACE).revision == 2
        assert node.served(SPACE).stored.catalog.flags["button"].name == "second"


async def test_spaces_and_tokens_made_elsewhere_are_found(node: Node, database: str) -> None:
    now = datetime.now(UTC)
    with Store.open(database) as other:
        commit(other, Create(FLAG))
        other.create_space("default/staging", who="another", when=now)
        await until(lambda: "default/staging" in node.spaces)
        assert "button" in node.served("default/staging").stored.catalog.flags
        before = node.access
        other.add_token(Token("t", "0" * 64, Scope.READ, "*/*", "", 0))
        await until(lambda: node.access is not before)
    with pytest.raises(NotFound):
        node.served("default/nowhere")


async def test_whoever_asks_for_a_revision_gets_it_or_is_told_why_not(database: str) -> None:
    async with running(database, poll_seconds=30.0) as node:
        with Store.open(database) as other:
            revision = commit(other, Create(FLAG)).stored.catalog.revision
        assert node.served(SPACE).revision < revision
        waiting = [node.at_least(SPACE, revision) for _ in range(50)]
        await asyncio.gather(*waiting)
        assert node.served(SPACE).revision == revision
        with pytest.raises(PreconditionFailed):
            await node.at_least(SPACE, revision + 1)


async def test_a_pattern_that_cannot_be_matched_is_never_kept(node: Node) -> None:
    await write(node, Create(Segment("se")))
    broken = (Clause(("email",), Operator.MATCHES, ("(",)),)
    for command in (SetRules("se", broken), Create(Segment("new", rules=broken))):
        with pytest.raises(InvalidInput) as refused:
            await write(node, Rename("segment", "se", "x"), command)
        assert refused.value.command == 1
    assert node.served(SPACE).revision == 1


async def test_more_changes_than_may_wait_are_turned_away_at_once(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "WRITES_WAITING_MAX", 20)
    held = threading.Event()

    def slow(_stored: Stored) -> Sequence[Command]:
        held.wait(20)
        return ()

    async with running(database) as node:
        first = asyncio.create_task(node.write(SPACE, slow, dialect="test", who="me"))
        await until(lambda: node.writes_waiting == 1)
        rest = [asyncio.create_task(write(node, Create(FLAG))) for _ in range(30)]
        await until(lambda: sum(task.done() for task in rest) == 11)
        held.set()
        done = await asyncio.gather(first, *rest, return_exceptions=True)
        assert sum(isinstance(each, Overloaded) for each in done) == 11
        assert node.counters.shed["writes"] == 11
        assert sum(isinstance(each, Committed) for each in done) == 2  # `slow`, and one Create


# The store is away.


async def test_a_node_starts_from_its_last_good_file_while_the_store_is_away(
    database: str, tmp_path: Path
) -> None:
    file = tmp_path / "last.good"
    async with running(database, last_good=file) as node:
        await write(node, Create(FLAG), Create(experiment()))
        fingerprint = node.served(SPACE).fingerprint
        await node.run(node.store.add_token, Token("t", "0" * 64, Scope.READ, "*/*", "", 0))
        await node.catch_up()
    back = threading.Event()

    def opener() -> Store:
        if not back.is_set():
            raise StoreError("away")
        return Store.open(database)

    async with running(opener, last_good=file) as node:
        assert node.ready
        assert node.served(SPACE).fingerprint == fingerprint
        assert node.served(SPACE).revision == 1
        with pytest.raises(StoreError):
            await write(node, Rename("flag", "button", "x"))
        with pytest.raises(Overloaded):
            await node.at_least(SPACE, 2)
        with pytest.raises(Unauthorized, match="not known"):  # that there is another token is
            node.access.caller(b"Bearer u", None, Scope.ASSIGN)
        back.set()
        await node.catch_up()
        await write(node, Rename("flag", "button", "x"))
        assert node.served(SPACE).revision == 2


async def test_without_a_last_good_file_it_is_not_ready_and_never_serves_nothing_as_something(
    database: str, tmp_path: Path
) -> None:
    with Store.open(database) as store:
        commit(store, Create(FLAG))
    back = threading.Event()

    def opener() -> Store:
        if not back.is_set():
            raise StoreError("away")
        return Store.open(database)

    torn = tmp_path / "torn"
    torn.write_bytes(b"allotment")
    for file in (None, tmp_path / "none", torn):
        back.clear()
        async with running(opener, last_good=file) as node:
            assert not node.ready
            with pytest.raises(StoreError):
                node.served(SPACE)
            with pytest.raises(StoreError):
                node.access.caller(None, None, Scope.ASSIGN)
            back.set()
            await until(lambda n=node: n.ready)
            assert node.served(SPACE).revision == 1


@pytest.mark.parametrize(
    "forged",
    [
        b"[" * 200_000,
        b'{"store": 1}',
        b'["flag", "button", {"is": "Flag"}, [1, 1, 1]]',
        b"7",
        b'""',
    ],
)
async def test_a_forged_last_good_file_is_never_fatal(
    database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, forged: bytes
) -> None:
    file = tmp_path / "last.good"
    with Store.open(database) as store:
        commit(store, Create(FLAG))
    async with running(database, last_good=file) as node:
        await until(file.exists)
    _, *lines = file.read_bytes().splitlines()
    back = threading.Event()

    def opener() -> Store:
        if not back.is_set():
            raise StoreError("away")
        return Store.open(database)

    for number in range(len(lines)):
        back.clear()
        caplog.clear()
        body = b"\n".join([*lines[:number], forged, *lines[number + 1 :]]) + b"\n"
        for each in (file, file.with_name(f"{file.name}.1")):
            each.write_bytes(lastgood._MAGIC + sha256(body).hexdigest().encode() + b"\n" + body)
        async with running(opener, last_good=file) as node:
            assert node.ready or str(file) in caplog.text
            back.set()
            await until(lambda n=node: n.ready and n.age_seconds < 1)
            assert node.served(SPACE).revision == 1


async def test_the_last_good_file_is_written_soon_after_a_change(
    database: str, tmp_path: Path
) -> None:
    file = tmp_path / "last.good"
    async with running(database, last_good=file) as node:
        await write(node, Create(FLAG))
        await until(lambda: file.exists() and SPACE in lastgood.load(file).spaces)
        found = lastgood.load(file).spaces[SPACE]
        await until(lambda: lastgood.load(file).spaces[SPACE].catalog.revision == 1)
        assert found.space == SPACE


async def test_a_start_that_finds_nothing_new_writes_no_last_good_file(
    database: str, tmp_path: Path
) -> None:
    file = tmp_path / "last.good"
    async with running(database, last_good=file) as node:
        await until(file.exists)
    written = file.stat()
    os.utime(file, (0, 0))
    async with running(database, last_good=file) as node:
        await until(lambda: file.stat().st_mtime > 0)
        assert file.stat().st_ino == written.st_ino
        await write(node, Create(FLAG))
        await until(lambda: file.stat().st_ino != written.st_ino)


async def test_a_last_good_file_that_cannot_be_written_stops_nothing(
    database: str, tmp_path: Path
) -> None:
    async with running(database, last_good=tmp_path / "no" / "such" / "folder") as node:
        await write(node, Create(FLAG))
        await until(lambda: node.counters.saves_failed > 0)
        await write(node, Rename("flag", "button", "x"))
        assert node.served(SPACE).revision == 2


async def test_the_node_outlives_a_restart_of_its_database(postgres: Postgres) -> None:
    url = postgres.fresh()
    async with running(url) as node:
        await write(node, Create(FLAG), Create(experiment()))
        given = node.served(SPACE).engine.assign("checkout", "u")
        postgres.stop("QUIT")
        try:
            await until(lambda: node.age_seconds > 0.3)
            for _ in range(5):
                with pytest.raises(StoreError):
                    await asyncio.wait_for(write(node, Rename("flag", "button", "x")), 2)
            assert node.ready
            assert node.served(SPACE).engine.assign("checkout", "u") == given
            assert node.counters.looks_failed > 0
        finally:
            postgres.start()
        assert await until(lambda: node.age_seconds < 0.2) < 5
        await write(node, Rename("flag", "button", "y"))
        assert node.served(SPACE).stored.catalog.flags["button"].name == "y"
