"""A copy of a store that is in use: whole, under a new name, or not there."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

import nouns
from allotment.change.commands import Create, Rename
from allotment.errors import StoreError
from allotment.store import StickyKey, Store
from postgres import Postgres

KEY = StickyKey("checkout", 1, "ann")


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "a.db") as opened:
        catalog = nouns.catalog(nouns.experiment())
        made = [Create(flag) for flag in catalog.flags.values()]
        opened.commit(made, who="", when=now(), dialect="")
        opened.keep({KEY: "treatment"}, revision=1, when=now())
        yield opened


def test_a_copy_is_a_store_with_its_sticky_assignments(store: Store, tmp_path: Path) -> None:
    assert store.backup(tmp_path / "b.db") == (tmp_path / "b.db", tmp_path / "b.db.kept")
    with Store.open(tmp_path / "b.db", create=False) as copy:
        assert copy.catalog() == store.catalog()
        assert list(copy.sticky([KEY])) == [KEY]
        assert copy.head() == store.head()
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("there", ["b.db", "b.db.kept"])
def test_a_copy_takes_no_name_that_is_there(store: Store, tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("mine")
    with pytest.raises(StoreError, match=f"{there} already"):
        store.backup(tmp_path / "b.db")
    assert (tmp_path / there).read_text() == "mine"
    assert len(list(tmp_path.glob("b.db*"))) == 1


def test_a_copy_that_fails_leaves_nothing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be copied"):
        store.backup(tmp_path / "nowhere" / "b.db")
    (tmp_path / "a.db.kept").unlink()
    with pytest.raises(StoreError, match="cannot be copied"):
        store.backup(tmp_path / "b.db")
    assert not list(tmp_path.glob("b.db*"))


def test_copies_are_whole_while_others_write(store: Store, tmp_path: Path) -> None:
    (flag,) = store.catalog().flags
    stop = threading.Event()

    def write() -> None:
        with Store.open(tmp_path / "a.db") as other:
            number = 0
            while not stop.is_set():
                number += 1
                names = [Rename("flag", flag, f"{number}/{part}") for part in range(3)]
                other.commit(names, who="", when=now(), dialect="")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(10):
            store.backup(tmp_path / f"copy-{number}.db")
    finally:
        stop.set()
        writer.join()
    for number in range(10):
        with Store.open(tmp_path / f"copy-{number}.db", create=False) as copy:
            name = copy.catalog().flags[flag].name
            assert name.endswith("/2") or copy.catalog().revision == 1, "a change is whole"
            assert copy.catalog().revision == len(copy.journal(1_000_000))


def test_postgresql_has_a_program_of_its_own(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.fresh()
    with Store.open(url) as store, pytest.raises(StoreError, match="pg_dump"):
        store.backup(tmp_path / "b.db")
    postgres.release(url)
