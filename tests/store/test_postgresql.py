"""What a store on PostgreSQL promises beside what every store does: it outlives the server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from allotment.change.commands import Command, Create, Rename
from allotment.errors import MissingExtra, StoreError
from allotment.model.segment import Segment
from allotment.store import Once, StickyKey, Store, Stored, migrate
from allotment.store.postgresql import PatientConnection
from allotment.store.spaces import locked
from faults.away import hanging
from postgres import Postgres
from store.examples import NOON, NORDICS, commit, sql, together


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    url = postgres.fresh()
    yield url
    postgres.release(url)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened


def test_the_short_schemes_name_the_same_store(store: Store, url: str) -> None:
    commit(store, Create(NORDICS))
    for scheme in ("postgres", "postgresql"):
        with Store.open(url.replace("postgresql+psycopg", scheme), create=False) as again:
            assert again.catalog().revision == 1


def test_an_empty_database_is_not_made_a_store_by_looking(url: str) -> None:
    with pytest.raises(StoreError, match=r"no store in postgresql://.*makes one"):
        Store.open(url, create=False)
    assert sql(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_a_server_can_tell_whose_connections_these_are(store: Store, url: str) -> None:
    query = "SELECT application_name FROM pg_stat_activity WHERE datname = current_database()"
    assert ("allotment",) in sql(url, query)


def test_a_message_names_the_server_and_never_the_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"postgresql://{tmp_path}/shop cannot be read") as caught:
        Store.open(f"postgresql+psycopg://ann:secret@/shop?host={tmp_path}&password=secret")
    assert "secret" not in str(caught.value)


def test_a_missing_driver_is_named_with_the_extra_that_brings_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"allotment\[postgres\]"):
        Store.open(url)


def test_a_server_that_does_not_answer_is_given_up_soon() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        began = time.monotonic()
        with pytest.raises(StoreError, match="cannot be read"):
            Store.open(f"postgresql+psycopg://ann@127.0.0.1:{mute.getsockname()[1]}/shop")
        assert time.monotonic() - began < 4


def test_a_store_says_so_while_its_server_is_away_and_goes_on_when_it_is_back(
    store: Store, postgres: Postgres
) -> None:
    commit(store, Create(NORDICS))
    before = store.read()
    postgres.stop()
    try:
        for ask in (store.read, store.pulse, store.journal, lambda: commit(store)):
            began = time.monotonic()
            with pytest.raises(StoreError, match="cannot be"):
                ask()
            assert time.monotonic() - began < 2
    finally:
        postgres.start()
    assert store.read() == before
    assert commit(store, Create(Segment("later"))) == 2


@pytest.mark.parametrize("how", ["INT", "QUIT"])
def test_a_server_that_was_restarted_is_found_again_without_an_error(
    store: Store, postgres: Postgres, how: str
) -> None:
    commit(store, Create(NORDICS))
    with ThreadPoolExecutor(4) as threads:  # so that several connections lie idle
        list(threads.map(lambda _: store.read(), range(20)))
    postgres.restart(how)
    assert store.read().catalog.revision == 1
    assert commit(store, Create(Segment("later"))) == 2


def test_nothing_acknowledged_is_lost_while_sessions_are_killed(
    store: Store, url: str, postgres: Postgres
) -> None:
    acknowledged: list[str] = []
    done = threading.Event()

    def write(name: str) -> None:
        for number in range(60):
            try:
                commit(store, Create(Segment(f"{name}-{number}")))
            except StoreError:
                continue
            acknowledged.append(f"{name}-{number}")

    def follow() -> list[Stored]:
        seen = []
        while not done.is_set():
            try:
                seen.append(store.read())
            except StoreError:
                continue
        return seen

    with ThreadPoolExecutor(3) as threads:
        reader = threads.submit(follow)
        writers = [threads.submit(write, name) for name in "ab"]
        while not all(writer.done() for writer in writers):
            postgres.kill_sessions("allotment")
            time.sleep(0.02)
        done.set()
        for writer in writers:
            writer.result()
    with Store.open(url) as again:
        there = set(again.catalog().segments)
        assert set(acknowledged) <= there
        assert again.catalog().revision == len(there) == len(again.journal(1_000))
        history = {revision: again.read(revision) for revision in range(len(there) + 1)}
    revisions = [stored.catalog.revision for stored in reader.result()]
    assert revisions == sorted(revisions)
    assert all(stored == history[stored.catalog.revision] for stored in reader.result())


def test_a_writer_that_stops_in_the_middle_loses_the_space_to_the_next(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("allotment.store.postgresql._IDLE_SECONDS", 1)
    entered = threading.Event()

    def dawdle(_stored: Stored, _commands: Sequence[Command]) -> bytes:
        entered.set()
        time.sleep(2)
        return b""

    with Store.open(url) as frozen, Store.open(url) as other, ThreadPoolExecutor(1) as threads:
        slow = threads.submit(
            frozen.commit,
            [Create(Segment("frozen"))],
            who="",
            when=NOON,
            dialect="t",
            once=Once("k", "d", dawdle),
        )
        assert entered.wait(10)
        assert commit(other, Create(NORDICS)) == 1
        with pytest.raises(StoreError, match="cannot be written"):
            slow.result(10)
        assert set(frozen.catalog().segments) == {"nordics"}
        assert commit(frozen, Create(Segment("thawed"))) == 2


def test_a_writer_does_not_wait_for_ever(
    url: str, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("allotment.store.postgresql._LOCK_SECONDS", 1)
    with Store.open(url) as store, postgres.connect(url) as holder:
        holder.execute("BEGIN")
        holder.execute("SELECT * FROM space FOR UPDATE")
        with pytest.raises(StoreError, match="lock timeout"):
            commit(store, Create(NORDICS))
        assert store.catalog().revision == 0
        holder.execute("ROLLBACK")
        assert commit(store, Create(NORDICS)) == 1


def test_several_spaces_are_locked_in_the_order_of_their_names(
    store: Store, url: str, postgres: Postgres
) -> None:
    # Whoever waits for the first has not locked the second: two never wait for each other.
    store.create_space("default/staging", who="", when=NOON)
    changes = {"default/staging": [Create(NORDICS)], "default/production": [Create(NORDICS)]}
    one_row = "SELECT * FROM space WHERE name = %s FOR UPDATE NOWAIT"
    waiting = "SELECT * FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
    with postgres.connect(url) as holder, ThreadPoolExecutor(1) as threads:
        for number in range(6):
            with holder.transaction():
                holder.execute(one_row, ["default/production"])
                both = threads.submit(together, store, changes)
                while not holder.execute(waiting, [holder.info.dbname]).fetchall():
                    assert not both.done()
                holder.execute(one_row, ["default/staging"])
            assert len(both.result(10)) == 2
            changes = {name: [Rename("segment", "nordics", str(number))] for name in changes}


OWNER = """
import signal
from postgres import postgres
with postgres() as server:
    print(server.folder, flush=True)
    signal.pause()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_server_of_the_tests_ends_with_them_however_they_end(how: signal.Signals) -> None:
    support = str(Path(__file__).parents[1] / "support")
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER],
        env={**os.environ, "PYTHONPATH": support},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with owner:
        assert owner.stdout is not None
        folder = Path(owner.stdout.readline().strip())
        server = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        owner.send_signal(how)
    deadline = time.monotonic() + 20
    while (folder.exists() or Path(f"/proc/{server}").exists()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not folder.exists()
    assert not Path(f"/proc/{server}").exists()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(PatientConnection, "silence", 0.5)
    return 0.5


def test_nothing_that_is_asked_of_a_server_that_hangs_waits_for_ever(
    url: str, postgres: Postgres, impatient: float
) -> None:
    with Store.open(url) as store:
        commit(store, Create(NORDICS))
        for ask in (store.pulse, store.catalog, lambda: commit(store, Create(Segment("other")))):
            with hanging(postgres):
                began = time.monotonic()
                with pytest.raises(StoreError):
                    ask()
                # Silence, and then a connection that is not made either.
                assert time.monotonic() - began < 10 * impatient + 5
            assert store.catalog().revision == 1
        assert commit(store, Create(Segment("other"))) == 2


def test_a_server_that_hangs_in_the_middle_of_a_change_is_given_up(
    url: str, postgres: Postgres, impatient: float
) -> None:
    with Store.open(url) as store:
        began = time.monotonic()
        with (
            pytest.raises(StoreError, match="did not answer within"),
            hanging_within(store, postgres),
        ):
            commit(store, Create(NORDICS))
        assert time.monotonic() - began < 10 * impatient + 5
        assert store.catalog().revision == 0


@contextmanager
def hanging_within(store: Store, postgres: Postgres) -> Iterator[None]:
    """Freeze the server once a transaction has begun to write."""
    frozen: list[str] = []
    with ExitStack() as until:

        def freeze(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if statement.startswith("INSERT") and not frozen:
                frozen.append(statement)
                until.enter_context(hanging(postgres))

        event.listen(store._database.writing, "before_cursor_execute", freeze)
        yield


def test_a_step_of_a_migration_may_take_long(
    url: str, postgres: Postgres, impatient: float
) -> None:
    with postgres.connect(url) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (migrate._TURN,))
        threading.Timer(3 * impatient, other.execute, ("SELECT pg_advisory_unlock_all()",)).start()
        began = time.monotonic()
        with Store.open(url) as store:
            assert time.monotonic() - began > 2 * impatient
            assert commit(store, Create(NORDICS)) == 1
            connection = store._database.writing.raw_connection()
            assert connection.dbapi_connection.silence == impatient
            connection.close()


def test_an_assignment_is_kept_while_a_commit_holds_its_space(store: Store) -> None:
    """However long the commit takes: it is held here until the other is done."""
    sticky_key = StickyKey("checkout", 1, "ann")
    with store._database.transaction(writes=True) as connection:
        locked(connection, [store.space])
        with ThreadPoolExecutor(1) as threads:
            keeping = threads.submit(store.keep, {sticky_key: "green"}, revision=1, when=NOON)
            assert keeping.result(5)[sticky_key].treatment == "green"
    assert commit(store, Create(NORDICS)) == 1
