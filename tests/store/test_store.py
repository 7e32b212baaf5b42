"""What a store promises: whole changes, kept for good, every revision of them."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta, timezone

import pytest

from allotment.change.commands import (
    Create,
    Delete,
    Rename,
    SetEnrolment,
    SetMembers,
    SetOverrides,
    SetRules,
    StartIteration,
)
from allotment.change.references import with_users
from allotment.errors import InvalidChange, InvalidInput, NotFound, StoreError
from allotment.model.catalog import EMPTY
from allotment.model.flag import Flag, Variation
from allotment.model.segment import NO_IDS, Clause, IdList, Operator, Segment
from allotment.store import Store
from store.examples import NOON, NORDICS, commit, experiment, sql, weights


def test_a_new_store_holds_the_empty_catalog(store: Store) -> None:
    assert store.catalog() == EMPTY
    assert store.journal() == ()
    assert store.spaces() == ("default/production",)


def test_a_commit_is_there_after_the_store_is_opened_again(store: Store, database: str) -> None:
    commit(store, Create(NORDICS), Create(experiment()), StartIteration("checkout"))
    with Store.open(database) as again:
        assert again.catalog() == store.catalog()
        assert again.catalog().revision == 1
        # Values of clauses come back with their types: 1 is not true.
        assert repr(again.catalog().segments) == repr(store.catalog().segments)


def test_every_revision_can_be_rebuilt(store: Store, database: str) -> None:
    seen = [store.read()]
    for change in (
        [Create(NORDICS), Create(experiment())],
        [StartIteration("checkout")],
        [weights(30)],
        [Delete("segment", "nordics")],
        [Create(NORDICS), SetRules("nordics", ())],
        [weights(70), SetEnrolment("checkout", 250_000)],
    ):
        commit(store, *change)
        seen.append(store.read())
    with Store.open(database) as again:
        for revision, stored in enumerate(seen):
            assert again.read(revision) == stored
            assert again.catalog(revision) == stored.catalog
            assert again.catalog(revision).revision == revision


def test_a_rebuilt_catalog_has_the_index_of_one_that_grew(store: Store, database: str) -> None:
    commit(store, Create(NORDICS), Create(experiment()), StartIteration("checkout"))
    with Store.open(database) as other:
        other.catalog()
        commit(store, Rename("segment", "nordics", "North"), weights(20))
        caught_up = other.catalog()
    assert caught_up == store.catalog()
    assert caught_up.users == store.catalog().users == with_users(caught_up).users


def test_what_was_committed_is_not_read_back(store: Store) -> None:
    done = store.commit([Create(NORDICS)], who="", when=NOON, dialect="test")
    assert store.read() is done.stored
    assert store.at(store.space).read() is done.stored


def test_catching_up_shares_with_what_was_known_all_that_did_not_change(
    store: Store, database: str
) -> None:
    commit(store, *(Create(experiment(f"e{number}")) for number in range(50)))
    with Store.open(database) as other:
        before = other.catalog()
        commit(store, Rename("experiment", "e7", "Seven"))
        after = other.catalog()
    differing = [
        key for key in before.experiments if before.experiments[key] is not after.experiments[key]
    ]
    assert differing == ["e7"]
    assert (
        sum(
            a is not b
            for a, b in zip(before.experiments.shards, after.experiments.shards, strict=True)
        )
        == 1
    )


def test_a_refused_change_leaves_nothing_behind(store: Store, database: str) -> None:
    with pytest.raises(InvalidChange):
        commit(store, Create(NORDICS), weights(30))
    assert store.catalog() == EMPTY
    for table in ("document", "journal"):
        assert sql(database, f"SELECT * FROM {table}") == []
    assert commit(store, Create(NORDICS)) == 1


def test_a_change_that_changes_nothing_uses_no_revision(store: Store) -> None:
    commit(store, Create(NORDICS))
    assert commit(store, Rename("segment", "nordics", "")) == 1
    assert commit(store) == 1
    assert [entry.revision for entry in store.journal()] == [1]


def test_only_the_nouns_that_changed_are_written(store: Store, database: str) -> None:
    commit(store, *(Create(experiment(f"e{number}")) for number in range(50)), Create(NORDICS))
    commit(store, Rename("experiment", "e7", "Seven"))
    rows = sql(database, "SELECT kind, key FROM document WHERE revision = 2")
    assert rows == [("experiment", "e7")]


HOSTILE = "NUL \0, newline \n, quote ' \" \\, \N{SNOWMAN}, \N{GRINNING FACE}, \x7f, %s :x {}"


def test_any_text_and_number_comes_back_as_it_was(store: Store, database: str) -> None:
    label = HOSTILE.replace("\0", "")
    largest = 2**63 - 1
    numbers = (largest, -largest - 1, 2**53 + 1, 1.5, 1e-300, 0, False, 1, True, 1.0)
    clause = Clause((HOSTILE, "x"), Operator.IN, (HOSTILE, *numbers))
    value = json.dumps({"text": HOSTILE, "number": largest})
    units = (HOSTILE.replace("\n", ""), "\N{PILE OF POO}" * 200)
    commit(
        store,
        Create(Flag("f", (Variation("a", value, label), Variation("b", "null")), "a", label)),
        Create(Segment("s", label, "\N{GRINNING FACE}" * 16_384, rules=(clause,))),
        SetMembers("s", "user", IdList.of(units), NO_IDS),
        Create(experiment()),
        SetOverrides("checkout", (("q\0\n", "green"),)),
    )
    with Store.open(database) as again:
        assert again.read() == store.read()
        assert repr(again.catalog().segments["s"].rules) == repr((clause,))
        assert set(again.catalog().segments["s"].include) == set(units)
        assert again.journal() == store.journal()


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b", "x" * 20_000])
def test_a_name_or_comment_that_cannot_be_kept_is_refused(store: Store, text: str) -> None:
    for field in ("who", "comment"):
        said = {"who": "", "comment": "", field: text}
        with pytest.raises(InvalidInput) as caught:
            store.commit([Create(NORDICS)], when=NOON, dialect="test", **said)
        assert caught.value.path == f"$.{field}"
    assert store.catalog() == EMPTY


def test_the_journal_says_who_did_what_when_and_what_it_moved(store: Store) -> None:
    commit(store, Create(experiment()), StartIteration("checkout"))
    elsewhere = NOON.astimezone(timezone(timedelta(hours=9))) + timedelta(hours=1)
    commit(store, weights(30), when=elsewhere)
    entry, first = store.journal()
    said = (entry.revision, entry.who, entry.dialect, entry.comment)
    assert said == (2, "ann", "test", "because")
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


@pytest.mark.parametrize("revision", [-1, 2, 10**12, 2**70])
def test_a_revision_that_is_not_there_is_not_found(store: Store, revision: int) -> None:
    commit(store, Create(NORDICS))
    with pytest.raises(NotFound, match="0 to 1"):
        store.catalog(revision)


def test_a_commit_builds_on_what_another_node_committed(store: Store, database: str) -> None:
    commit(store, Create(NORDICS))
    with Store.open(database) as stale:
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
from datetime import UTC, datetime
from allotment.change.commands import Create
from allotment.model.segment import Segment
from allotment.store import Store

database, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with Store.open(database) as store:
    for number in range(count):
        done = store.commit(
            [Create(Segment(f"{name}-{number}"))],
            who=name, when=datetime.now(UTC), dialect="test",
        )
        print(done.stored.catalog.revision, f"{name}-{number}", flush=True)
"""


def committer(database: str, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", COMMITTER, database, name, str(count)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_processes_that_commit_at_once_lose_nothing(database: str) -> None:
    # They also race to lay the store.
    writers = [committer(database, name, 30) for name in ("a", "b", "c")]
    acknowledged = [
        line.split() for writer in writers for line in writer.communicate()[0].splitlines()
    ]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert sorted(int(revision) for revision, _ in acknowledged) == list(range(1, 91))
    with Store.open(database) as store:
        assert set(store.catalog().segments) == {key for _, key in acknowledged}
        assert [entry.revision for entry in store.journal(1000)] == list(range(90, 0, -1))
        for revision, key in acknowledged:
            assert key in store.catalog(int(revision)).segments
            assert key not in store.catalog(int(revision) - 1).segments


@pytest.mark.parametrize("lines", [1, 23])
def test_what_was_acknowledged_survives_a_killed_process(database: str, lines: int) -> None:
    with committer(database, "a", 10_000) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(lines)]
        writer.kill()
        said += writer.stdout.readlines()
    acknowledged = {line.split()[1] for line in said if line.endswith("\n")}
    with Store.open(database) as store:
        commit(store)  # waits for a commit that the killed process had under way
        there = set(store.catalog().segments)
        # One more may have been committed and not yet said.
        assert acknowledged <= there
        assert len(there) <= len(acknowledged) + 1
        assert store.catalog().revision == len(there) == len(store.journal(10_000))
        assert commit(store, Create(NORDICS)) == len(there) + 1


def test_a_document_that_cannot_be_read_is_named(store: Store, database: str) -> None:
    commit(store, Create(NORDICS))
    sql(database, "UPDATE document SET body = :body", body=json.dumps({"is": "Segment", "x": 1}))
    with Store.open(database) as again, pytest.raises(StoreError, match="segment 'nordics'"):
        again.catalog()


def test_a_store_put_back_from_an_older_copy_is_noticed(store: Store, database: str) -> None:
    commit(store, Create(NORDICS))
    commit(store, Rename("segment", "nordics", "North"))
    sql(database, "UPDATE space SET revision = 1")
    with pytest.raises(StoreError, match=r"lost that revision.*older copy"):
        store.catalog()
