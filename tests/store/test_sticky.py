"""What is kept for a unit is kept once, whoever comes first, and by no revision."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from allotment.change.commands import Create
from allotment.errors import InvalidInput
from allotment.store import StickyKey, StickyTreatment, Store, spaces
from store.examples import NOON, NOON_MS, NORDICS, commit, experiment, kept_in, sql


def keep(store: Store, given: dict[StickyKey, str], revision: int = 1) -> dict[StickyKey, str]:
    found = store.keep(given, revision=revision, when=NOON)
    return {sticky_key: each.treatment for sticky_key, each in found.items()}


ANN = StickyKey("checkout", 1, "ann")
BO = StickyKey("checkout", 1, "bo")


def test_what_was_kept_first_stays(store: Store) -> None:
    assert store.sticky([ANN]) == {}
    assert keep(store, {ANN: "green"}, 3) == {ANN: "green"}
    later = NOON + timedelta(days=1)
    again = store.keep({ANN: "control", BO: "control"}, revision=9, when=later)
    assert again[ANN] == StickyTreatment("green", 3, NOON_MS)
    assert again[BO] == StickyTreatment("control", 9, NOON_MS + 86_400_000)
    assert store.sticky([ANN, BO]) == again


def test_lots_are_told_apart(store: Store) -> None:
    """By experiment, iteration and every byte of the unit, NUL and beyond among them."""
    store.create_space("default/test", who="", when=NOON)
    units = ("a", "A", "a ", "a\0", "a\0b", "á", "a\u0301", "1", "\U0001f4a9", "x" * 1_024)
    sticky_keys = [StickyKey("checkout", 1, unit) for unit in units]
    sticky_keys += [StickyKey("checkout", 2, "a"), StickyKey("banner", 1, "a")]
    given = {sticky_key: f"t{number}" for number, sticky_key in enumerate(sticky_keys)}
    assert keep(store, given) == given
    assert {
        sticky_key: each.treatment
        for sticky_key, each in store.sticky(reversed(sticky_keys)).items()
    } == given
    assert store.at("default/test").sticky(sticky_keys) == {}


def test_thousands_are_kept_at_once(store: Store) -> None:
    given = {StickyKey("checkout", 1, f"u-{number}"): f"t{number % 3}" for number in range(3_000)}
    assert keep(store, given) == given
    assert len(store.sticky([*given, ANN])) == 3_000


def test_what_names_no_experiment_is_refused_alike_by_both_stores(store: Store) -> None:
    for name in ("a\0b", "", "a b", "\ud800", "a" * 257):
        key = StickyKey(name, 1, "unit")
        with pytest.raises(InvalidInput, match="a key is"):
            store.sticky([key])
        with pytest.raises(InvalidInput, match="a key is"):
            store.keep({key: "green"}, revision=1, when=NOON)
    assert store.sticky([StickyKey("e", 1, "a\0b")]) == {}


def test_nothing_is_kept_of_nothing(store: Store) -> None:
    assert keep(store, {}) == {}
    assert store.sticky([]) == {}


def test_all_who_keep_at_once_are_told_the_same(database: str) -> None:
    sticky_keys = [StickyKey("checkout", 1, f"u-{number}") for number in range(40)]

    def kept(number: int) -> dict[StickyKey, str]:
        mine = sticky_keys if number % 2 else sticky_keys[::-1]
        with Store.open(database) as store:
            return keep(store, dict.fromkeys(mine, f"t{number}"))

    Store.open(database).close()
    with ThreadPoolExecutor(6) as threads:
        told = list(threads.map(kept, range(6)))
    assert all(each == told[0] for each in told)
    assert set(told[0]) == set(sticky_keys)


def test_keeping_waits_for_no_change_of_the_catalog(database: str) -> None:
    with Store.open(database) as store, Store.open(database) as other:
        keep(store, {ANN: "green"})
        with other._database.transaction(writes=True) as connection:
            spaces.locked(connection, ["default/production"])
            with ThreadPoolExecutor(1) as threads:
                asked = threads.submit(keep, store, {BO: "green"})
                assert asked.result(5) == {BO: "green"}
                assert store.sticky([ANN, BO])[BO].treatment == "green"


def test_all_who_replace_at_once_are_told_the_same(database: str) -> None:
    sticky_keys = [StickyKey("checkout", 1, f"u-{number}") for number in range(40)]
    with Store.open(database) as store:
        first = store.keep(dict.fromkeys(sticky_keys, "gone"), revision=1, when=NOON)

    def replaced(number: int) -> dict[StickyKey, StickyTreatment]:
        mine = sticky_keys if number % 2 else sticky_keys[::-1]
        with Store.open(database) as store:
            given = dict.fromkeys(mine, f"t{number}")
            return store.keep(given, revision=2, when=NOON, behind=first)

    with ThreadPoolExecutor(6) as threads:
        told = list(threads.map(replaced, range(6)))
    assert all(each == told[0] for each in told)
    for sticky_key in sticky_keys:
        gone, new = told[0][sticky_key].treatments
        assert gone == "gone"
        assert new.startswith("t")
    with Store.open(database) as store:
        again = store.keep(dict.fromkeys(sticky_keys, "z"), revision=3, when=NOON, behind=told[0])
    assert {each.treatments for each in again.values()} == {
        (*each.treatments, "z") for each in told[0].values()
    }


def test_of_all_that_is_kept_the_first_that_the_iteration_has_counts() -> None:
    kept = StickyTreatment("a", 3, 0, (StickyTreatment("b", 5, 0), StickyTreatment("c", 7, 0)))
    assert kept.treatments == ("a", "b", "c")
    for names, until, expected in (
        ("abc", None, "a"), ("bc", None, "b"), ("c", None, "c"), ("", None, None),
        ("abc", 2, None), ("bc", 4, None), ("bc", 5, "b"), ("c", 6, None), ("ca", 7, "a"),
    ):  # fmt: skip
        found = kept.standing(names, until)
        assert (found and found.treatment) == expected, (names, until)


def test_keeping_is_no_revision(store: Store, database: str) -> None:
    commit(store, Create(NORDICS), Create(experiment()))
    pulse = store.pulse()
    keep(store, {ANN: "green"})
    assert store.pulse() == pulse
    assert len(store.journal()) == 1
    with Store.open(database) as elsewhere:
        assert elsewhere.sticky([ANN])[ANN].treatment == "green"
    assert sql(kept_in(database), "SELECT count(*) FROM kept_assignment") == [(1,)]
