"""What a store in a SQLite file promises beside what every store does."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event

from allotment.change.commands import Create
from allotment.errors import InvalidInput, StoreError, StoreFull
from allotment.model.segment import Segment
from allotment.store import Scope, StickyKey, Store, Token, sqlite
from store.examples import NOON, NORDICS, commit, sql

MOVED = "was deleted, moved or replaced while it was open"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "allotment.db"


def test_every_commit_is_synced_to_the_disk(path: Path) -> None:
    with Store.open(path) as store:
        for engine in (store._database.reading, store._database.writing):
            with engine.connect() as connection:
                settings = {
                    name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                    for name in ("synchronous", "journal_mode", "foreign_keys")
                }
            assert settings == {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1}


def test_a_path_and_a_url_name_the_same_store(path: Path) -> None:
    with Store.open(path) as store:
        commit(store, Create(NORDICS))
    for name in (str(path), f"sqlite:///{path}"):
        with Store.open(name, create=False) as again:
            assert again.catalog().revision == 1


def test_a_missing_store_is_not_made_by_looking(path: Path) -> None:
    for name in (path, str(path), f"sqlite:///{path}"):
        with pytest.raises(
            StoreError, match=f"no store at {path}; `allotment apply FILE` makes one"
        ):
            Store.open(name, create=False)
    assert not path.exists()


@pytest.mark.parametrize("name", ["", ":memory:", "sqlite://", "sqlite:///:memory:"])
def test_a_store_that_would_not_be_kept_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="in a file"):
        Store.open(name)


@pytest.mark.parametrize(
    "name",
    ["mysql://ann:secret@host/db", "ann:secret://", "postgresql+asyncpg://ann:secret@host/db"],
)
def test_another_kind_of_database_is_refused_without_repeating_its_password(name: str) -> None:
    with pytest.raises(InvalidInput, match="sqlite:///PATH") as caught:
        Store.open(name)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_a_store_error(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to look at" * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store.open(path)


def test_a_folder_that_is_not_there_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        Store.open(tmp_path / "missing" / "allotment.db")


FILLER = """
import resource, sys
from datetime import UTC, datetime
from allotment.change.commands import Create
from allotment.errors import StoreError
from allotment.model.segment import Segment
from allotment.store import Store

def commit(number):
    noun = Segment(f"s{number}", description="x" * 10_000)
    store.commit([Create(noun)], who="", when=datetime.now(UTC), dialect="test")

with Store.open(sys.argv[1]) as store:
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, most))
    said = ""
    for number in range(10_000):
        try:
            commit(number)
        except StoreError as error:
            said = error
            break
    print(number, len(store.catalog().segments), said)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    commit(number)
"""


def test_a_file_that_cannot_grow_is_a_store_error_until_it_can(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILLER, str(path)], capture_output=True, text=True, check=True
    )
    committed, readable, said = done.stdout.split(" ", 2)
    assert int(committed) == int(readable) > 0
    assert "cannot be written" in said
    with Store.open(path) as store:
        assert len(store.catalog().segments) == int(committed) + 1


def on_connecting(store: Store, do: Callable[[sqlite3.Connection, object], None]) -> None:
    """Have every connection begin so, from now on."""
    for engine in (store._database.reading, store._database.writing):
        event.listen(engine, "connect", do)
    store.close()


def commit_many(store: Store, count: int) -> None:
    for number in range(count):
        commit(store, Create(Segment(f"s{number}", description="x" * 10_000)))


def test_a_full_disk_is_told_apart_and_reading_goes_on_until_there_is_room(path: Path) -> None:
    pages = 40

    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    with Store.open(path) as store:
        on_connecting(store, limit)
        with pytest.raises(StoreFull, match="disk is full") as caught:
            commit_many(store, 1_000)
        assert caught.value.status_hint == 507
        count = store.read().catalog.revision
        assert count == len(store.journal(1_000)) > 0
        pages = 1_000_000
        assert commit(store, Create(NORDICS)) == count + 1


def test_the_first_write_after_the_disk_could_not_be_written_succeeds(path: Path) -> None:
    read_only = 1

    def open_so(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA query_only = {read_only}")

    with Store.open(path) as store:
        on_connecting(store, open_so)
        for _ in range(3):
            with pytest.raises(StoreError, match="readonly"):
                commit(store, Create(NORDICS))
            with ThreadPoolExecutor(4) as threads:  # so that several connections lie idle
                list(threads.map(lambda _: store.read(), range(20)))
        read_only = 0
        for number in range(1, 5):
            assert commit(store, Create(Segment(f"s{number}"))) == number


def test_a_writer_that_another_program_keeps_out_says_so_and_goes_on_later(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("allotment.store.sqlite._PATIENCE", 0.1)
    with Store.open(path) as store:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            commit(store, Create(NORDICS))
        assert store.catalog().revision == 0
        holder.close()
        assert commit(store, Create(NORDICS)) == 1
    assert sql(str(path), "PRAGMA integrity_check") == [("ok",)]


def test_a_change_of_a_token_waits_no_longer_than_ten_seconds_for_another_writer(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sqlite._PATIENCE_URGENT == 10
    monkeypatch.setattr(sqlite, "_PATIENCE_URGENT", 0.2)
    with Store.open(path) as store, closing(sqlite3.connect(path)) as holder:
        store.add_token(Token("a", "a" * 64, Scope.READ, "*/*", "", 0))
        holder.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(StoreError, match="another process is writing to it; try again"):
            store.revoke_token("a", NOON)
        assert time.monotonic() - began < 10
        holder.rollback()
        store.revoke_token("a", NOON)
        assert store.tokens()[0].revoked_at is not None


def test_nothing_is_written_to_a_file_that_was_deleted(path: Path) -> None:
    with Store.open(path) as store:
        commit(store, Create(NORDICS))
        for each in path.parent.glob(f"{path.name}*"):
            each.unlink()
        for ask in (lambda: commit(store, Create(Segment("lost"))), store.pulse) * 3:
            with pytest.raises(StoreError):
                ask()
        assert list(path.parent.iterdir()) == []


def test_a_store_without_its_kept_assignments_is_refused_and_an_empty_file_accepts_that(
    path: Path,
) -> None:
    sticky_key = StickyKey("checkout", 1, "ann")
    with Store.open(path) as store:
        store.keep({sticky_key: "green"}, revision=1, when=NOON)
    kept = path.with_name(f"{path.name}.kept")
    moved = kept.rename(path.with_name("elsewhere"))
    for create in (False, True):
        with pytest.raises(StoreError, match=f"sticky assignments in {kept}, which is not there"):
            Store.open(path, create=create)
    assert not kept.exists()
    kept.touch()
    with Store.open(path) as store:
        assert store.sticky([sticky_key]) == {}
        assert (
            store.keep({sticky_key: "control"}, revision=1, when=NOON)[sticky_key].treatment
            == "control"
        )
    moved.replace(kept)
    with Store.open(path) as store:
        assert store.sticky([sticky_key])[sticky_key].treatment == "green"


def test_another_database_is_not_taken_for_the_kept_assignments(path: Path) -> None:
    Store.open(path).close()
    kept = path.with_name(f"{path.name}.kept")
    kept.write_bytes(path.read_bytes())
    with pytest.raises(StoreError, match="not of sticky assignments"):
        Store.open(path)


def test_nothing_is_kept_in_a_file_that_was_deleted(path: Path) -> None:
    sticky_key = StickyKey("checkout", 1, "ann")
    with Store.open(path) as store:
        store.keep({sticky_key: "green"}, revision=1, when=NOON)
        path.with_name(f"{path.name}.kept").unlink()
        for ask in (
            lambda: store.keep({sticky_key: "green"}, revision=1, when=NOON),
            lambda: store.sticky([sticky_key]),
        ) * 2:
            with pytest.raises(StoreError):
                ask()
        assert commit(store, Create(NORDICS)) == 1
        assert not path.with_name(f"{path.name}.kept").exists()


def test_two_names_of_one_file_have_one_file_of_kept_assignments(path: Path) -> None:
    sticky_key = StickyKey("checkout", 1, "ann")
    with Store.open(path) as store:
        store.keep({sticky_key: "green"}, revision=1, when=NOON)
    (path.parent / "other").mkdir()
    link = path.parent / "other" / "link.db"
    link.symlink_to(path)
    with Store.open(link) as store:
        assert store.sticky([sticky_key])[sticky_key].treatment == "green"


def test_a_file_put_in_the_place_of_another_is_not_taken_for_it(path: Path) -> None:
    with Store.open(path) as store:
        commit(store, Create(NORDICS))
        copy = path.with_name("copy.db")
        with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
            source.backup(target)
        source.close()
        target.close()
        commit(store, Create(Segment("later")))
        copy.replace(path)
        for log in ("wal", "shm"):
            path.with_name(f"{path.name}-{log}").unlink()
        with pytest.raises(StoreError, match=MOVED):
            commit(store, Create(Segment("lost")))
        with pytest.raises(StoreError, match="has lost that revision"):
            commit(store, Create(Segment("lost")))
    with Store.open(path) as again:
        assert list(again.catalog().segments) == ["nordics"]


@pytest.mark.parametrize("end", ["wal", "shm"])
@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_nothing_is_written_to_a_log_that_was_deleted(path: Path, how: str, end: str) -> None:
    with Store.open(path) as store:
        commit(store, Create(NORDICS))
        log = path.with_name(f"{path.name}-{end}")
        if how == "replaced":
            shutil.copy(log, log.with_suffix(".copy"))
            log.with_suffix(".copy").replace(log)
        else:
            log.unlink()
        with pytest.raises(StoreError, match=MOVED):
            commit(store, Create(Segment("lost")))


def move(path: Path, to: Path, *, without: str = "nothing") -> None:
    """Move the files of a store into a new folder, and leave a link to it in its place."""
    to.mkdir()
    for each in path.parent.glob(f"{path.name}*"):
        if not each.name.endswith(without):
            each.rename(to / each.name)
    path.symlink_to(to / path.name)


def test_a_store_that_was_moved_behind_a_link_is_opened_anew_where_it_is(path: Path) -> None:
    with Store.open(path) as store:
        commit(store, Create(NORDICS))
        move(path, path.parent / "elsewhere")
        with pytest.raises(StoreError, match=MOVED):
            commit(store, Create(Segment("lost")))
        assert commit(store, Create(Segment("found"))) == 2
    with Store.open(path.parent / "elsewhere" / path.name, create=False) as moved:
        assert list(moved.catalog().segments) == ["found", "nordics"]


def test_nothing_is_kept_beside_where_a_store_was_before_it_was_moved(path: Path) -> None:
    sticky_key = StickyKey("checkout", 1, "ann")
    with Store.open(path) as store:
        store.keep({sticky_key: "green"}, revision=1, when=NOON)
        move(path, path.parent / "elsewhere", without=".kept")
        for _ in range(3):
            with pytest.raises(StoreError):
                store.keep({sticky_key._replace(unit="bob"): "green"}, revision=1, when=NOON)
    kept = path.with_name(f"{path.name}.kept")
    assert sql(str(kept), "SELECT count(*) FROM kept_assignment") == [(1,)]


def test_nothing_is_written_to_a_store_whose_folder_was_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with Store.open("allotment.db") as store:
        commit(store, Create(NORDICS))
        folder.rename(tmp_path / "old")
        folder.mkdir()
        sticky_key = StickyKey("checkout", 1, "ann")
        for _ in range(3):
            with pytest.raises(StoreError):
                commit(store, Create(Segment("lost")))
            with pytest.raises(StoreError):
                store.keep({sticky_key: "green"}, revision=1, when=NOON)
        assert list(folder.iterdir()) == []
    with Store.open(tmp_path / "old" / "allotment.db", create=False) as moved:
        assert list(moved.catalog().segments) == ["nordics"]
        assert moved.sticky([sticky_key]) == {}


def test_a_file_that_is_deleted_in_the_middle_of_a_change_acknowledges_nothing(path: Path) -> None:
    with Store.open(path) as store:
        commit(store, Create(NORDICS))

        @event.listens_for(store._database.writing, "before_cursor_execute")
        def _(*_: object) -> None:
            path.unlink(missing_ok=True)

        with pytest.raises(StoreError, match=MOVED):
            commit(store, Create(Segment("lost")))
