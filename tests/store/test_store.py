"""What a store promises: whole changes, kept for good, every revision of them."""

import json
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from allotment.change.commands import (
    Command,
    Create,
    Delete,
    Rename,
    SetEnrolment,
    SetRules,
    SetWeights,
    StartIteration,
)
from allotment.change.users import with_users
from allotment.errors import InvalidChange, InvalidInput, NotFound, StoreError
from allotment.model.catalog import EMPTY
from allotment.model.experiment import Allocation, Experiment, Iteration, Treatment
from allotment.model.segment import Clause, Operator, Segment
from allotment.store import Store

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NORDICS = Segment("nordics", rules=(Clause(("country",), Operator.IN, ("SE", "NO", 1, True)),))


def experiment(key: str = "checkout") -> Experiment:
    return Experiment(
        key,
        (
            Iteration(
                1,
                treatments=(Treatment("control"), Treatment("green")),
                allocations=(Allocation("everyone", (("control", 50), ("green", 50)), 100),),
                control="control",
            ),
        ),
    )


def weights(control: int) -> SetWeights:
    return SetWeights("checkout", "everyone", (("control", control), ("green", 100 - control)), 100)


def commit(store: Store, *commands: Command, when: datetime = NOON) -> int:
    change = store.commit(commands, who="ann", when=when, dialect="test", comment="because")
    return change.catalog.revision


def sql(path: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    """Ask the database behind the store's back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement, values).fetchall()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "allotment.db"


@pytest.fixture
def store(path: Path):
    with Store.open(path) as opened:
        yield opened


def test_a_new_store_holds_the_empty_catalog(store: Store) -> None:
    assert store.catalog() == EMPTY
    assert store.journal() == ()


def test_a_commit_is_there_after_the_store_is_opened_again(store: Store, path: Path) -> None:
    commit(store, Create(NORDICS), Create(experiment()), StartIteration("checkout"))
    with Store.open(path) as again:
        assert again.catalog() == store.catalog()
        assert again.catalog().revision == 1
        # Values of clauses come back with their types: 1 is not true.
        assert repr(again.catalog().segments) == repr(store.catalog().segments)


def test_every_revision_can_be_rebuilt(store: Store, path: Path) -> None:
    seen = [store.catalog()]
    for change in (
        [Create(NORDICS), Create(experiment())],
        [StartIteration("checkout")],
        [weights(30)],
        [Delete("segment", "nordics")],
        [Create(NORDICS), SetRules("nordics", ())],
        [weights(70), SetEnrolment("checkout", 250_000)],
    ):
        commit(store, *change)
        seen.append(store.catalog())
    with Store.open(path) as again:
        for revision, catalog in enumerate(seen):
            assert again.catalog(revision) == catalog
            assert again.catalog(revision).revision == revision


def test_a_rebuilt_catalog_has_the_index_of_one_that_grew(store: Store, path: Path) -> None:
    commit(store, Create(NORDICS), Create(experiment()), StartIteration("checkout"))
    with Store.open(path) as other:
        other.catalog()
        commit(store, Rename("segment", "nordics", "North"), weights(20))
        caught_up = other.catalog()
    assert caught_up == store.catalog()
    assert caught_up.users == store.catalog().users == with_users(caught_up).users


def test_a_refused_change_leaves_nothing_behind(store: Store, path: Path) -> None:
    with pytest.raises(InvalidChange):
        commit(store, Create(NORDICS), weights(30))
    assert store.catalog() == EMPTY
    for table in ("document", "journal"):
        assert sql(path, f"SELECT * FROM {table}") == []
    assert commit(store, Create(NORDICS)) == 1


def test_a_change_that_changes_nothing_uses_no_revision(store: Store) -> None:
    commit(store, Create(NORDICS))
    assert commit(store, Rename("segment", "nordics", "")) == 1
    assert commit(store) == 1
    assert [entry.revision for entry in store.journal()] == [1]


def test_only_the_nouns_that_changed_are_written(store: Store, path: Path) -> None:
    commit(store, *(Create(experiment(f"e{number}")) for number in range(50)), Create(NORDICS))
    commit(store, Rename("experiment", "e7", "Seven"))
    rows = sql(path, "SELECT kind, key FROM document WHERE revision = 2")
    assert rows == [("experiment", "e7")]


def test_the_journal_says_who_did_what_when_and_what_it_moved(store: Store) -> None:
    commit(store, Create(experiment()), StartIteration("checkout"))
    elsewhere = NOON.astimezone(timezone(timedelta(hours=9))) + timedelta(hours=1)
    commit(store, weights(30), when=elsewhere)
    entry, first = store.journal()
    assert (entry.revision, entry.who, entry.dialect, entry.comment) == (
        2,
        "ann",
        "test",
        "because",
    )
    assert entry.when == elsewhere
    assert entry.when.utcoffset() == timedelta(0)
    assert entry.commands == (weights(30),)
    assert [(move.experiment, move.allocation, move.moved_ppm) for move in entry.moves] == [
        ("checkout", "everyone", 200_000)
    ]
    assert first.commands == (Create(experiment()), StartIteration("checkout"))
    assert first.moves == ()


def test_the_journal_is_read_page_by_page(store: Store) -> None:
    commit(store, Create(NORDICS))
    for name in "abcdef":
        commit(store, Rename("segment", "nordics", name))
    assert [entry.revision for entry in store.journal(3)] == [7, 6, 5]
    assert [entry.revision for entry in store.journal(3, before=5)] == [4, 3, 2]
    assert [entry.revision for entry in store.journal(3, before=2)] == [1]


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(InvalidInput, match="time zone"):
        commit(store, Create(NORDICS), when=NOON.replace(tzinfo=None))
    assert store.catalog() == EMPTY


@pytest.mark.parametrize("revision", [-1, 2, 10**12])
def test_a_revision_that_is_not_there_is_not_found(store: Store, revision: int) -> None:
    commit(store, Create(NORDICS))
    with pytest.raises(NotFound, match="0 to 1"):
        store.catalog(revision)


def test_a_commit_builds_on_what_another_node_committed(store: Store, path: Path) -> None:
    commit(store, Create(NORDICS))
    with Store.open(path) as stale:
        assert stale.catalog().revision == 1
        commit(store, Create(experiment()))
        assert commit(stale, Rename("segment", "nordics", "North")) == 3
        assert "checkout" in stale.catalog().experiments


def test_threads_that_share_a_store_lose_nothing(store: Store) -> None:
    def work(name: str) -> None:
        for number in range(15):
            commit(store, Create(Segment(f"{name}-{number}")))
            assert f"{name}-{number}" in store.catalog().segments

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, "abcd"))
    assert store.catalog().revision == len(store.catalog().segments) == 60
    assert [entry.revision for entry in store.journal()] == list(range(60, 0, -1))


COMMITTER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from allotment.change.commands import Create
from allotment.model.segment import Segment
from allotment.store import Store

path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with Store.open(path) as store:
    for number in range(count):
        change = store.commit(
            [Create(Segment(f"{name}-{number}"))],
            who=name, when=datetime.now(UTC), dialect="test",
        )
        print(change.catalog.revision, f"{name}-{number}", flush=True)
"""


def committer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", COMMITTER, str(path), name, str(count)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_processes_that_commit_at_once_lose_nothing(path: Path) -> None:
    # They also race to make the file.
    writers = [committer(path, name, 40) for name in ("a", "b", "c")]
    acknowledged = [
        line.split() for writer in writers for line in writer.communicate()[0].splitlines()
    ]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert sorted(int(revision) for revision, _ in acknowledged) == list(range(1, 121))
    with Store.open(path) as store:
        assert set(store.catalog().segments) == {key for _, key in acknowledged}
        assert [entry.revision for entry in store.journal(1000)] == list(range(120, 0, -1))
        for revision, key in acknowledged:
            assert key in store.catalog(int(revision)).segments
            assert key not in store.catalog(int(revision) - 1).segments


@pytest.mark.parametrize("lines", [1, 7, 23])
def test_what_was_acknowledged_survives_a_killed_process(path: Path, lines: int) -> None:
    with committer(path, "a", 10_000) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(lines)]
        writer.send_signal(signal.SIGKILL)
        said += writer.stdout.readlines()
    acknowledged = {line.split()[1] for line in said if line.endswith("\n")}
    with Store.open(path) as store:
        there = set(store.catalog().segments)
        # One more may have been committed and not yet said.
        assert acknowledged <= there
        assert len(there) <= len(acknowledged) + 1
        assert store.catalog().revision == len(there) == len(store.journal(10_000))
        assert commit(store, Create(NORDICS)) == len(there) + 1


def test_every_commit_is_synced_to_the_disk(store: Store) -> None:
    with store._engine.connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("synchronous", "journal_mode", "foreign_keys")
        }
    assert settings == {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1}


FILLER = """
import resource, sys
from datetime import UTC, datetime
from allotment.change.commands import Create
from allotment.errors import StoreError
from allotment.model.segment import Segment
from allotment.store import Store

with Store.open(sys.argv[1]) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
    try:
        for number in range(10_000):
            noun = Segment(f"s{number}", description="x" * 10_000)
            store.commit([Create(noun)], who="", when=datetime.now(UTC), dialect="test")
    except StoreError as error:
        print(number, len(store.catalog().segments), error)
"""


def test_a_full_disk_is_a_store_error_and_reading_goes_on(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILLER, str(path)], capture_output=True, text=True, check=True
    )
    committed, readable, said = done.stdout.split(" ", 2)
    assert int(committed) == int(readable) > 0
    assert "cannot be written" in said
    with Store.open(path) as store:
        assert len(store.catalog().segments) == int(committed)


def test_a_store_of_another_schema_version_is_refused(store: Store, path: Path) -> None:
    store.close()
    sql(path, "UPDATE allotment_store SET version = 99")
    with pytest.raises(StoreError, match="version 99"):
        Store.open(path)


def test_a_database_of_something_else_is_refused_and_left_as_it_is(path: Path) -> None:
    sql(path, "CREATE TABLE cats (name TEXT)")
    with pytest.raises(StoreError, match="not a store"):
        Store.open(path)
    assert sql(path, "SELECT name FROM sqlite_master") == [("cats",)]


def test_a_file_that_is_no_database_is_a_store_error(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to look at" * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store.open(path)


def test_a_missing_store_is_not_made_by_looking(path: Path) -> None:
    with pytest.raises(StoreError, match="no store"):
        Store.open(path, create=False)
    assert not path.exists()


def test_a_folder_that_cannot_be_written_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        Store.open(tmp_path / "missing" / "allotment.db")


def test_a_document_that_cannot_be_read_is_named(store: Store, path: Path) -> None:
    commit(store, Create(NORDICS))
    sql(path, "UPDATE document SET body = ?", json.dumps({"is": "Segment", "x": 1}))
    with Store.open(path) as again, pytest.raises(StoreError, match="segment 'nordics'"):
        again.catalog()


def test_a_store_put_back_from_an_older_copy_is_noticed(store: Store, path: Path) -> None:
    commit(store, Create(NORDICS))
    commit(store, Rename("segment", "nordics", "North"))
    sql(path, "UPDATE space SET revision = 1")
    with pytest.raises(StoreError, match="older copy"):
        store.catalog()
