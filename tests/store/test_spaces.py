"""Several spaces in one database: each its own catalog, and changes that reach several at once."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from allotment.change.commands import Command, Create, OrderExperiments, Rename, Reserve, SwitchFlag
from allotment.errors import Conflict, InvalidChange, InvalidInput, NotFound
from allotment.model.catalog import EMPTY
from allotment.model.flag import FlagExperiment, FlagState
from allotment.model.layer import Layer
from allotment.model.segment import Segment
from allotment.store import Head, Once, Origin, Pulse, Store, Stored
from nouns import FLAG
from nouns import experiment as flagged
from store.examples import NOON, NORDICS, commit, together

PRODUCTION, STAGING = "default/production", "default/staging"


@pytest.fixture
def staging(store: Store) -> Store:
    store.create_space(STAGING, who="ann", when=NOON)
    return store.at(STAGING)


def test_a_space_has_a_catalog_and_a_journal_of_its_own(
    store: Store, staging: Store, database: str
) -> None:
    commit(store, Create(NORDICS))
    commit(staging, Create(Segment("only-here")))
    commit(staging, Create(NORDICS))
    assert set(store.catalog().segments) == {"nordics"}
    assert set(staging.catalog().segments) == {"nordics", "only-here"}
    assert store.spaces() == staging.spaces() == (PRODUCTION, STAGING)
    assert [entry.revision for entry in staging.journal()] == [2, 1]
    assert [entry.revision for entry in store.journal()] == [1]
    with Store.open(database, STAGING) as again:
        assert again.space == again.read().space == STAGING
        assert again.read() == staging.read()


def test_a_space_that_is_not_there_is_not_found(store: Store, database: str) -> None:
    for ask in (
        lambda: store.at("default/nowhere"),
        lambda: Store.open(database, "default/nowhere"),
        lambda: store.create_space("a/b", who="", when=NOON, copy_from="default/nowhere"),
    ):
        with pytest.raises(NotFound, match="no space"):
            ask()
    assert store.spaces() == (PRODUCTION,)
    assert store.catalog() == EMPTY


def test_a_new_space_has_the_flags_and_layers_of_its_project(store: Store) -> None:
    commit(
        store,
        Create(FLAG),
        Create(NORDICS),
        Create(Layer("page", "salted")),
        Create(flagged()),
        Reserve("page", "checkout", 500_000),
    )
    commit(store, SwitchFlag("button", FlagState.OFF))
    store.create_space(STAGING, who="ann", when=NOON)
    made = store.at(STAGING)
    catalog = made.catalog()
    assert catalog.revision == 1
    assert set(catalog.flags) == {"button"}
    assert catalog.flags["button"].variations == FLAG.variations
    assert catalog.flags["button"].state is FlagState.OFF
    assert catalog.layers["page"] == Layer("page", "salted")
    assert not catalog.segments
    assert not catalog.experiments
    (entry,) = made.journal()
    assert (entry.who, entry.when) == ("ann", NOON)
    assert entry.comment == f"copied from {PRODUCTION}"


def test_a_new_space_leaves_the_experiments_behind_a_flag_behind(store: Store) -> None:
    order = OrderExperiments("button", (FlagExperiment("checkout"),))
    commit(store, Create(FLAG), Create(flagged()), order)
    store.create_space(STAGING, who="", when=NOON)
    assert store.catalog().flags["button"].experiments
    assert store.at(STAGING).catalog().flags["button"] == FLAG


def test_a_new_space_copies_from_where_it_is_told_to(store: Store, staging: Store) -> None:
    commit(staging, Create(FLAG))
    store.create_space("default/test", who="", when=NOON, copy_from=STAGING)
    assert set(store.at("default/test").catalog().flags) == {"button"}


def test_the_first_space_of_a_project_is_empty(store: Store) -> None:
    commit(store, Create(FLAG))
    store.create_space("shop/production", who="", when=NOON)
    made = store.at("shop/production")
    assert made.catalog() == EMPTY
    assert commit(made, Create(NORDICS)) == 1


def test_a_space_that_is_there_is_a_conflict(store: Store, staging: Store) -> None:
    with pytest.raises(Conflict, match="already"):
        store.create_space(STAGING, who="", when=NOON)
    assert staging.catalog() == EMPTY


@pytest.mark.parametrize("name", ["", "a", "a/", "/b", "a/b/c", "a/b c", "ä/b", "*/b", "a\0/b"])
def test_a_space_is_called_project_slash_environment(store: Store, name: str) -> None:
    with pytest.raises(InvalidInput):
        store.create_space(name, who="", when=NOON)
    assert store.spaces() == (PRODUCTION,)


def test_of_those_who_make_the_same_space_at_once_one_does(store: Store, database: str) -> None:
    commit(store, Create(FLAG))
    with Store.open(database) as elsewhere, ThreadPoolExecutor(6) as threads:

        def make(node: Store) -> bool:
            try:
                node.create_space(STAGING, who="", when=NOON)
            except Conflict:
                return False
            return True

        assert sum(threads.map(make, (store, elsewhere) * 3)) == 1
    assert store.at(STAGING).catalog().revision == 1


def test_spaces_can_be_made_while_others_change_what_is_copied(store: Store, database: str) -> None:
    commit(store, Create(FLAG))
    with ThreadPoolExecutor(1) as threads:
        renames = threads.submit(
            lambda: [commit(store, Rename("flag", "button", f"B{n}")) for n in range(60)]
        )
        made = 0
        while not renames.done():
            store.create_space(f"default/s{made}", who="", when=NOON)
            made += 1
    assert renames.result()[-1] == 61
    assert made > 0
    for number in range(made):
        copied = store.at(f"default/s{number}").catalog()
        assert copied.flags["button"].name in ("", *(f"B{n}" for n in range(60)))


def test_a_change_of_several_spaces_is_made_in_all_of_them_or_in_none(
    store: Store, staging: Store
) -> None:
    create = [Create(FLAG)]
    done = together(store, {STAGING: create, PRODUCTION: create}, who="ann")
    assert list(done) == [STAGING, PRODUCTION]
    assert done[STAGING].stored == staging.read()
    assert done[PRODUCTION].stored == store.read()
    assert done[PRODUCTION].stored.catalog.revision == 1
    rename = [Rename("flag", "button", "The button")]
    commit(staging, SwitchFlag("button", FlagState.ARCHIVED))
    with pytest.raises(InvalidChange):
        together(store, {PRODUCTION: rename, STAGING: [SwitchFlag("button", FlagState.ON)]})
    assert store.catalog().revision == 1
    assert store.catalog().flags["button"].name == ""
    assert staging.catalog().revision == 2


def test_what_is_recorded_is_of_the_space_one_asks_through(store: Store, staging: Store) -> None:
    commit(staging, Create(NORDICS))
    changes = {PRODUCTION: [Create(NORDICS)], STAGING: [Rename("segment", "nordics", "N")]}
    once = Once("k", "d", lambda stored, commands: f"{stored.space} {len(commands)}".encode())

    def ask() -> dict[str, tuple[int, bytes | None]]:
        done = together(staging, changes, once=once)
        return {name: (one.stored.catalog.revision, one.replay) for name, one in done.items()}

    assert ask() == {PRODUCTION: (1, None), STAGING: (2, None)}
    assert ask() == {STAGING: (2, b"default/staging 1")}
    assert store.catalog().revision == 1


def test_a_change_of_a_project_sees_all_its_spaces_and_no_others(
    store: Store, staging: Store
) -> None:
    store.create_space("other/production", who="", when=NOON)
    commit(staging, Create(NORDICS))
    seen: list[dict[str, int]] = []

    def build(states: Mapping[str, Stored]) -> dict[str, list[Command]]:
        seen.append({name: stored.catalog.revision for name, stored in states.items()})
        return {}

    origin = Origin("", NOON, "test")
    assert store.change(build, origin, whole_project=True) == {}
    assert store.change(build, origin) == {}
    assert seen == [{PRODUCTION: 0, STAGING: 1}, {PRODUCTION: 0}]


def test_those_who_change_several_spaces_at_once_never_wait_for_each_other(
    store: Store, staging: Store, database: str
) -> None:
    with Store.open(database, STAGING) as elsewhere, ThreadPoolExecutor(4) as threads:

        def work(name: str) -> None:
            node = (store, elsewhere)[name in "cd"]
            names = (PRODUCTION, STAGING) if name in "ac" else (STAGING, PRODUCTION)
            for number in range(15):
                create = [Create(Segment(f"{name}-{number}"))]
                changes = dict.fromkeys(names, create)
                together(node, changes)

        list(threads.map(work, "abcd"))
    assert store.catalog().revision == staging.catalog().revision == 60
    assert store.catalog().segments == staging.catalog().segments


def test_the_pulse_says_where_every_space_is(store: Store, staging: Store) -> None:
    assert store.pulse() == Pulse({PRODUCTION: Head(), STAGING: Head()}, tokens=0)
    commit(staging, Create(NORDICS))
    commit(staging, Create(FLAG))
    head = staging.read().head
    assert head.revision == 2
    assert store.pulse() == Pulse({PRODUCTION: Head(), STAGING: head}, tokens=0)
