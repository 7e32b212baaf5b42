"""A store is read where nothing can be written: from a folder, a file or a mount for reading."""

import os
import shutil
from pathlib import Path

import pytest

from allotment import load
from allotment.change.commands import Create
from allotment.errors import StoreError
from allotment.model.segment import Segment
from allotment.store import Store
from faults.mounts import read_only
from store.examples import NORDICS, commit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "store").mkdir()
    return tmp_path / "store" / "a b%?#.db"


def test_a_store_is_read_where_nothing_can_be_written_and_leaves_no_trace(path: Path) -> None:
    with Store.open(path) as store:
        commit(store, Create(NORDICS))
    with read_only(path.parent):
        for _ in range(2):
            with Store.open(path, create=False) as store:
                assert store.catalog().revision == 1
                assert [entry.revision for entry in store.journal(10, None)] == [1]
        assert set(load(path).catalog.segments) == {NORDICS.key}
        assert {each.name for each in path.parent.iterdir()} == {path.name, f"{path.name}.kept"}


def test_what_cannot_be_written_is_said_and_written_again_when_it_can_be(path: Path) -> None:
    with Store.open(path) as store:
        commit(store, Create(NORDICS))
    with read_only(path.parent):
        store = Store.open(path, create=False)
        with pytest.raises(StoreError, match="cannot be written"):
            commit(store, Create(Segment("other")))
    with store:
        assert commit(store, Create(Segment("other"))) == 2
        assert store.catalog().revision == 2


def test_what_a_writer_elsewhere_commits_is_read_from_its_log(path: Path) -> None:
    with Store.open(path) as writer:
        commit(writer, Create(NORDICS))
        with read_only(path.parent), Store.open(path, create=False) as reader:
            assert reader.catalog().revision == 1
            commit(writer, Create(Segment("other")))
            assert reader.catalog().revision == 2


def test_a_store_that_was_not_closed_is_never_read_without_its_last_changes(path: Path) -> None:
    copied = path.parent.parent / "copied"
    with Store.open(path) as writer:
        commit(writer, Create(NORDICS))
        shutil.copytree(path.parent, copied, ignore=shutil.ignore_patterns("*-shm"))
    with read_only(copied), pytest.raises(StoreError, match="was not closed, and its last changes"):
        Store.open(copied / path.name, create=False)
    assert Store.open(copied / path.name).catalog().revision == 1


def test_what_was_read_while_the_file_changed_does_not_count(path: Path) -> None:
    with Store.open(path) as store:
        commit(store, Create(NORDICS))
    with read_only(path.parent):
        store = Store.open(path, create=False)
    changed = pytest.raises(StoreError, match="was changed while it was read")
    with changed, store._database.transaction(writes=False) as connection:
        connection.exec_driver_sql("SELECT version FROM allotment_store").scalar()
        os.utime(path)
    assert store.catalog().revision == 1
