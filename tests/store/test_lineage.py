"""A revision is its number and its lineage: no other history is taken for the one that was read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from allotment.change.commands import Create, Rename
from allotment.errors import StoreError
from allotment.model.segment import Segment
from allotment.store import OTHER_HISTORY, Head, LastGood, Store
from allotment.store.lastgood import load, save
from store.examples import NOON, NORDICS, commit, sql


def lose(database: str, after: int) -> None:
    """What a failover does that loses commits: the rows of later revisions are gone."""
    for table in ("document", "journal"):
        sql(database, f"DELETE FROM {table} WHERE revision > {after}")
    kept = f"SELECT lineage FROM journal WHERE revision = {after}"
    sql(database, f"UPDATE space SET revision = {after}, lineage = ({kept})")


@pytest.fixture
def diverged(store: Store, database: str) -> Store:
    """A store that read revision 3; there are others of that number now, and one more."""
    commit(store, Create(NORDICS))
    commit(store, Rename("segment", "nordics", "North"))
    commit(store, Rename("segment", "nordics", "Lost"))
    lose(database, 2)
    with Store.open(database) as another:
        assert commit(another, Rename("segment", "nordics", "Found")) == 3
    return store


def test_a_history_that_was_replaced_is_noticed_at_the_same_number(diverged: Store) -> None:
    with pytest.raises(StoreError, match="another change at that revision") as error:
        diverged.read()
    assert error.value.code == OTHER_HISTORY


def test_and_at_a_later_number(diverged: Store, database: str) -> None:
    with Store.open(database) as another:
        assert commit(another, Create(Segment("new"))) == 4
    with pytest.raises(StoreError, match="another change at that revision"):
        diverged.read()


def test_nothing_is_written_over_a_history_that_was_replaced(
    diverged: Store, database: str
) -> None:
    with pytest.raises(StoreError, match="allotment adopt"):
        commit(diverged, Create(Segment("new")))
    assert sql(database, "SELECT max(revision) FROM journal") == [(3,)]


def test_it_is_read_whole_where_that_is_asked_for(diverged: Store) -> None:
    whole = diverged.read_whole()
    assert whole.catalog.segments["nordics"].name == "Found"
    assert diverged.read() == whole
    assert commit(diverged, Create(Segment("new"))) == 4


def test_every_field_of_a_change_is_in_its_lineage(tmp_path: Path) -> None:
    def lineage(name: str, lay: Callable[[Store], object]) -> str:
        with Store.open(tmp_path / f"{name}.db") as store:
            commit(store, Create(NORDICS))
            lay(store)
            return store.read().lineage

    north = [Rename("segment", "nordics", "North")]
    given = {"who": "ann", "when": NOON, "dialect": "test", "comment": "because"}
    changes: dict[str, Callable[[Store], object]] = {
        "one": lambda store: store.commit(north, **given),
        "who": lambda store: store.commit(north, **{**given, "who": "bob"}),
        "when": lambda store: store.commit(
            north, **{**given, "when": NOON + timedelta(microseconds=1)}
        ),
        "comment": lambda store: store.commit(north, **{**given, "comment": ""}),
        "dialect": lambda store: store.commit(north, **{**given, "dialect": "native"}),
        "what": lambda store: commit(store, Rename("segment", "nordics", "South")),
    }
    found = {name: lineage(name, lay) for name, lay in changes.items()}
    assert len(set(found.values())) == len(changes)
    assert lineage("again", changes["one"]) == found["one"]
    assert all(len(each) == 32 for each in found.values())


def test_an_earlier_revision_has_the_lineage_it_had(store: Store) -> None:
    heads = [Head()]
    for name in ("a", "b", "c"):
        commit(store, Create(Segment(name)))
        heads.append(store.read().head)
    assert [store.read(revision).head for revision in range(4)] == heads
    assert len({head.lineage for head in heads}) == 4


def test_each_word_of_an_operator_is_later_than_the_one_before(store: Store) -> None:
    said = [store.pulse().adopted]
    for when in (NOON, NOON, NOON - timedelta(days=1)):
        store.adopt(when)
        said.append(store.pulse().adopted)
    assert said[0] == 0
    assert said == sorted(set(said))


def test_a_last_good_file_of_another_store_is_not_overwritten(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "last.good"
    spaces = {store.space: store.read()}
    production = LastGood("production", spaces, ())
    save(path, production)
    with pytest.raises(StoreError, match=r"is of the store production, and this server follows s"):
        save(path, LastGood("staging", spaces, ()))
    assert load(path) == production
    path.write_bytes(b"allotment last good 3 torn")
    save(path, LastGood("staging", spaces, ()))
    assert load(path).store == "staging"
