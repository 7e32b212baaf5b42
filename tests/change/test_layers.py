"""Reservations: whose buckets of a layer are whose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.change import commands as c
from allotment.change.apply import apply
from allotment.change.lifecycle import Policy
from allotment.errors import Conflict, InvalidChange
from allotment.model.catalog import Catalog
from allotment.model.experiment import State
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.slots import Range, Ranges, covers, join, lowest, subtract
from nouns import catalog, changed, experiment, iteration


@pytest.fixture
def base() -> Catalog:
    return catalog(Layer("pages", ""), *(experiment(key) for key in "abc"))


def owned(made: Catalog, key: str) -> list[tuple[int, int]]:
    reservations = {r.experiment: r.ranges for r in made.layers["pages"].reservations}
    return [tuple(item) for item in reservations[key]]


def test_joining_takes_the_lowest_free_buckets(base: Catalog) -> None:
    made = changed(base, c.Reserve("pages", "b", 300_000), c.Reserve("pages", "a", 200_000))
    assert owned(made, "b") == [(0, 300_000)]
    assert owned(made, "a") == [(300_000, 500_000)]
    assert [r.experiment for r in made.layers["pages"].reservations] == ["a", "b"]
    assert made.experiments["a"].layer == "pages"


def test_growing_keeps_what_it_has_and_shrinking_gives_up_the_highest(base: Catalog) -> None:
    made = changed(base, c.Reserve("pages", "a", 100), c.Reserve("pages", "b", 100))
    grown = changed(made, c.Reserve("pages", "a", 150))
    assert owned(grown, "a") == [(0, 100), (200, 250)]
    assert owned(changed(grown, c.Reserve("pages", "a", 120)), "a") == [(0, 100), (200, 220)]
    assert owned(changed(grown, c.Reserve("pages", "a", 30)), "a") == [(0, 30)]


def test_what_is_released_is_free_again_and_lowest_first(base: Catalog) -> None:
    made = changed(base, *(c.Reserve("pages", key, 100) for key in "abc"))
    released = changed(made, c.Release("a"))
    assert released.experiments["a"].layer is None
    assert owned(changed(released, c.Reserve("pages", "c", 150)), "c") == [(0, 50), (200, 300)]


def test_nothing_reserved_is_a_reservation_too(base: Catalog) -> None:
    made = changed(base, c.Reserve("pages", "a", 0))
    assert owned(made, "a") == []
    assert made.experiments["a"].layer == "pages"


def test_exact_buckets_can_be_asked_for(base: Catalog) -> None:
    asked = (Range(5, 10), Range(900_000, 900_005))
    made = changed(base, c.Reserve("pages", "a", 10, asked))
    assert owned(made, "a") == [(5, 10), (900_000, 900_005)]


def test_shares_of_a_whole_layer_shrink_before_others_grow() -> None:
    made = catalog(
        Layer("pages", "", reservations=(
            Reservation("a", share_ppm=400_000), Reservation("b", share_ppm=600_000),
        )),
        experiment("a", layer="pages"),
        experiment("b", layer="pages"),
    )  # fmt: skip
    swapped = Layer("pages", "", reservations=(
        Reservation("a", share_ppm=600_000), Reservation("b", share_ppm=400_000),
    ))  # fmt: skip
    after = changed(made, c.Replace(swapped))
    assert owned(after, "a") == [(0, 400_000), (800_000, 1_000_000)]
    assert owned(after, "b") == [(400_000, 800_000)]


def test_a_share_that_is_not_free_is_refused_with_what_is(base: Catalog) -> None:
    made = changed(base, c.Reserve("pages", "a", 700_000))
    with pytest.raises(Conflict, match="only 300,000 are free"):
        apply(made, [c.Reserve("pages", "b", 300_001)])


def test_in_launchdarkly_an_experiment_is_in_a_layer_or_under_a_holdout() -> None:
    draft = iteration(State.DRAFT)
    made = catalog(Layer("pages", ""), Holdout("q4", "", 1), experiment("a", draft))
    reserve, hold = c.Reserve("pages", "a", 1), c.SetHoldout("a", "q4")
    for commands in ([reserve, hold], [hold, reserve]):
        with pytest.raises(InvalidChange, match="not both") as refusal:
            apply(made, commands, Policy.LAUNCHDARKLY)
        assert refusal.value.command == 1
        apply(made, commands)
    both = c.Create(experiment("b", draft, layer="pages", holdout="q4"))
    with pytest.raises(InvalidChange, match="not both"):
        apply(made, [both], Policy.LAUNCHDARKLY)


def test_in_confidence_joining_a_layer_while_live_is_shrinking(base: Catalog) -> None:
    with pytest.raises(InvalidChange, match="give up part of its layer"):
        apply(base, [c.Reserve("pages", "a", 999_999)], Policy.CONFIDENCE)
    apply(base, [c.Reserve("pages", "a", 1_000_000)], Policy.CONFIDENCE)


# The sums behind it, against sets of buckets.


@st.composite
def range_sets(draw: st.DrawFn) -> Ranges:
    buckets = draw(st.sets(st.integers(0, 30)))
    return join(Range(bucket, bucket + 1) for bucket in buckets)


def buckets_of(ranges: Ranges) -> set[int]:
    return {bucket for start, stop in ranges for bucket in range(start, stop)}


@given(range_sets(), range_sets(), range_sets())
def test_sums_of_ranges_are_those_of_sets(one: Ranges, two: Ranges, three: Ranges) -> None:
    rest = subtract(one, [two, three])
    assert buckets_of(rest) == buckets_of(one) - buckets_of(two) - buckets_of(three)
    assert join(rest) == rest, "no empty ranges, and none that touch"
    assert covers(one, two) == (buckets_of(two) <= buckets_of(one))


@given(range_sets(), st.integers(0, 40))
def test_the_lowest_are_the_lowest(ranges: Ranges, count: int) -> None:
    assert sorted(buckets_of(lowest(ranges, count))) == sorted(buckets_of(ranges))[:count]
