"""When nouns came and changed, and changes that are made only if nobody else made one."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest

from allotment.change.commands import Command, Create, Delete, Describe, Rename
from allotment.errors import PreconditionFailed
from allotment.model.segment import Segment
from allotment.store import Origin, Store, Stored, Version
from store.examples import NOON, NOON_MS, NORDICS, commit, experiment


def test_a_noun_has_the_time_it_came_and_the_time_and_revision_it_changed(
    store: Store, database: str
) -> None:
    commit(store, Create(NORDICS), Create(experiment()))
    commit(store, Rename("segment", "nordics", "N"), when=NOON + timedelta(milliseconds=5))
    commit(store, Describe("segment", "nordics", "D"), when=NOON + timedelta(days=1))
    expected = {
        "segment:nordics": Version(3, NOON_MS, NOON_MS + 86_400_000, "ann", "ann"),
        "experiment:checkout": Version(1, NOON_MS, NOON_MS, "ann", "ann"),
    }
    assert store.read().versions == expected
    with Store.open(database) as again:
        assert again.read().versions == expected
        at_two = Version(2, NOON_MS, NOON_MS + 5, "ann", "ann")
        assert again.read(2).versions["segment:nordics"] == at_two


def test_a_noun_has_who_brought_it_in_and_who_changed_it_last(store: Store, database: str) -> None:
    def told(where: Store, revision: int | None = None) -> tuple[str, str] | None:
        version = where.read(revision).versions.get("segment:nordics")
        return version and (version.created_by, version.updated_by)

    steps = (
        ("ann", Create(NORDICS)),
        ("bob", Rename("segment", "nordics", "N")),
        ("eve", Delete("segment", "nordics")),
        ("joe", Create(NORDICS)),
        ("kim", Describe("segment", "nordics", "D")),
    )
    expected = (("ann", "ann"), ("ann", "bob"), None, ("joe", "joe"), ("joe", "kim"))
    with Store.open(database) as beside:
        for second, ((who, command), wanted) in enumerate(zip(steps, expected, strict=True)):
            when = NOON + timedelta(seconds=second)
            store.commit([command], who=who, when=when, dialect="test")
            assert told(store) == told(beside) == wanted
    with Store.open(database) as again:
        assert told(again) == expected[-1]
        assert [told(again, revision) for revision in range(1, 6)] == [*expected]


def test_a_noun_that_was_deleted_has_no_version_and_comes_anew(store: Store, database: str) -> None:
    commit(store, Create(NORDICS))
    with Store.open(database) as other:
        assert "segment:nordics" in other.read().versions
        commit(store, Delete("segment", "nordics"), when=NOON + timedelta(seconds=1))
        assert other.read().versions == store.read().versions == {}
        commit(store, Create(NORDICS), when=NOON + timedelta(seconds=2))
        anew = {"segment:nordics": Version(3, NOON_MS + 2_000, NOON_MS + 2_000, "ann", "ann")}
        assert other.read().versions == store.read().versions == anew
    with Store.open(database) as again:
        assert again.read().versions == anew


def _revision(stored: Stored, key: str) -> int:
    version = stored.versions.get(f"segment:{key}")
    return version.revision if version else 0


def rename(store: Store, key: str, name: str, expected: int) -> int:
    """Rename a segment if it is at a revision, and give the revision of the catalog then."""

    def build(states: Mapping[str, Stored]) -> dict[str, list[Command]]:
        if _revision(states[store.space], key) != expected:
            raise PreconditionFailed("it has changed since")
        return {store.space: [Rename("segment", key, name)]}

    done = store.change(build, Origin("", NOON, "test"))
    return done[store.space].stored.catalog.revision


def test_what_a_change_checks_is_the_latest_state_and_a_refusal_changes_nothing(
    store: Store, database: str
) -> None:
    commit(store, Create(NORDICS))
    with Store.open(database) as elsewhere:
        commit(elsewhere, Create(experiment()))
        assert rename(store, "nordics", "A", expected=1) == 3
        for wrong in (0, 1, 2, 4):
            with pytest.raises(PreconditionFailed, match="has changed since"):
                rename(elsewhere, "nordics", "B", expected=wrong)
    assert store.catalog().segments["nordics"].name == "A"
    assert store.catalog().revision == 3


def test_a_change_can_expect_the_whole_catalog_to_be_at_a_revision(store: Store) -> None:
    commit(store, Create(NORDICS))
    for wrong in (0, 2):
        with pytest.raises(PreconditionFailed, match="catalog is at revision 1"):
            store.commit(
                [Create(experiment())], who="", when=NOON, dialect="t", expect_revision=wrong
            )
    done = store.commit([Create(experiment())], who="", when=NOON, dialect="t", expect_revision=1)
    assert done.stored.catalog.revision == 2


def test_of_changes_that_expect_the_same_revision_exactly_one_is_made(
    store: Store, database: str
) -> None:
    commit(store, Create(NORDICS), *(Create(Segment(f"other-{n}")) for n in range(8)))
    with Store.open(database) as elsewhere:

        def work(number: int) -> None:
            through = (store, elsewhere)[number % 2]
            for turn in range(1, 11):
                with suppress(PreconditionFailed):
                    rename(through, "nordics", f"{number} in {turn}", expected=turn)
                # Another noun is not affected.
                own = f"other-{number}"
                rename(through, own, f"own {turn}", _revision(through.read(), own))

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(work, range(8)))
    commands = [each for entry in store.journal(1000) for each in entry.commands]
    names = [c.name for c in commands if isinstance(c, Rename) and c.key == "nordics"]
    turns = [int(name.split()[-1]) for name in reversed(names)]
    assert turns == sorted(set(turns))
    assert turns[0] == 1
    assert store.catalog().revision == 1 + len(turns) + 80
