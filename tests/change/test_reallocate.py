"""New slots out of old ones: exactly the fewest moves, over all buckets."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from allotment.change import reallocate as module
from allotment.change.reallocate import counts, lay, moved, reallocate
from allotment.errors import InvalidChange
from allotment.model.limits import BUCKETS, RANGES_MAX
from allotment.model.profile import NATIVE, PROFILES, Profile
from allotment.model.slots import Slot, Slots, is_orderly

Weights = list[tuple[str, int]]
KEYS = tuple(f"t{index}" for index in range(10))
GAP = len(KEYS)


@st.composite
def weightings(draw: st.DrawFn) -> tuple[Weights, int]:
    """Weights of some treatments, in order, and a total that may leave a gap."""
    keys = [key for key in KEYS if draw(st.booleans())]
    parts = [draw(st.integers(0, 1000)) for _ in keys]
    total = max(1, sum(parts) + draw(st.sampled_from((0, 0, 7, 5000))))
    return list(zip(keys, parts, strict=True)), total


def of(buckets: int) -> Profile:
    """The native profile, with other buckets."""
    return replace(PROFILES[NATIVE], buckets=buckets)


def owners(slots: Slots) -> NDArray[np.int8]:
    """The owner of every one of the 1,000,000 buckets, by its number; GAP for nobody."""
    line = np.full(BUCKETS, GAP, dtype=np.int8)
    for start, stop, owner in slots:
        assert (line[start:stop] == GAP).all(), "a bucket has one owner"
        line[start:stop] = KEYS.index(owner)
    return line


def test_buckets_go_by_largest_remainder_and_ties_to_the_earlier() -> None:
    thirds = [("a", 1), ("b", 1), ("c", 1)]
    assert counts(thirds, 3, of(10)) == {"a": 4, "b": 3, "c": 3, "": 0}
    assert counts([("a", 335), ("b", 665)], 1000, of(100)) == {"a": 34, "b": 66, "": 0}
    assert counts([("a", 1), ("b", 5)], 7, of(10)) == {"a": 2, "b": 7, "": 1}


@given(weightings())
def test_every_bucket_is_counted_and_none_is_off_by_a_whole_one(
    weighting: tuple[Weights, int],
) -> None:
    weights, total = weighting
    result = counts(weights, total)
    assert sum(result.values()) == BUCKETS
    for treatment, part in weights:
        assert abs(result[treatment] * total - part * BUCKETS) < total


def test_laying_is_contiguous_in_the_order_of_the_treatments() -> None:
    assert lay([("a", 30), ("b", 0), ("c", 50)], 100) == (
        Slot(0, 300_000, "a"),
        Slot(300_000, 800_000, "c"),
    )


def test_from_no_slots_at_all_reallocating_is_laying() -> None:
    weights = [("a", 30), ("b", 50)]
    assert reallocate((), weights, 100) == lay(weights, 100)


def test_shrinking_gives_up_the_highest_buckets_and_growing_takes_them() -> None:
    old = lay([("a", 50), ("b", 50)], 100)
    assert reallocate(old, [("a", 40), ("b", 60)], 100) == (
        Slot(0, 400_000, "a"),
        Slot(400_000, BUCKETS, "b"),
    )
    assert reallocate(old, [("a", 60), ("b", 40)], 100) == (
        Slot(0, 500_000, "a"),
        Slot(500_000, 900_000, "b"),
        Slot(900_000, BUCKETS, "a"),
    )


def test_the_gap_counts_as_one_more_treatment() -> None:
    old = lay([("a", 10), ("b", 10)], 100)
    assert reallocate(old, [("a", 20), ("b", 10)], 100) == (*old, Slot(900_000, BUCKETS, "a"))
    assert reallocate(old, [("a", 5), ("b", 10)], 100) == (Slot(0, 50_000, "a"), old[1])


def test_the_same_weights_in_other_units_move_nobody() -> None:
    old = reallocate(lay([("a", 50), ("b", 50)], 100), [("a", 70), ("b", 30)], 100)
    assert reallocate(old, [("a", 7), ("b", 3)], 10) is old


@settings(max_examples=40, deadline=None)
@given(st.lists(weightings(), min_size=2, max_size=5))
def test_moves_are_exactly_the_total_variation_and_only_from_shrinking_to_growing(
    weightings: list[tuple[Weights, int]],
) -> None:
    slots: Slots = ()
    for weights, total in weightings:
        new = reallocate(slots, weights, total)
        assert_exact(slots, new, weights, total)
        slots = new


def assert_exact(old: Slots, new: Slots, weights: Weights, total: int) -> None:
    assert is_orderly(new, BUCKETS)
    before, after = owners(old), owners(new)
    had, has = (np.bincount(line, minlength=GAP + 1) for line in (before, after))
    wanted = counts(weights, total)
    assert [*has] == [*(wanted.get(key, 0) for key in KEYS), wanted[""]], "every bucket counts"
    moves = before != after
    assert int(moves.sum()) == int(abs(had - has).sum()) // 2 == moved(old, new)
    assert {*np.unique(before[moves])} <= {*np.flatnonzero(has < had)}, "only shrinking ones lose"
    assert {*np.unique(after[moves])} <= {*np.flatnonzero(has > had)}, "only growing ones gain"


def random_weights(rng: random.Random, treatments: int) -> tuple[Weights, int]:
    total = rng.choice((7, 100, 1000, BUCKETS))
    cuts = sorted(rng.randint(0, total) for _ in range(treatments))
    starts = [0, *cuts[:-1]]
    return [(KEYS[i], cuts[i] - starts[i]) for i in range(treatments)], total


@pytest.mark.parametrize("treatments", range(2, 11))
def test_fifty_reweightings_stay_within_the_range_limit(treatments: int) -> None:
    rng = random.Random(treatments)
    for _ in range(20):
        slots: Slots = ()
        for _ in range(50):
            slots = reallocate(slots, *random_weights(rng, treatments))
            assert len(slots) <= RANGES_MAX


def test_where_ranges_would_be_too_many_the_moves_merge_and_stay_exact(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Within the true limit the highest buckets always sufficed, so the limit is lowered here.
    limit = 24
    rng = random.Random(3)
    slots: Slots = ()
    merged = 0
    for _ in range(500):
        weights, total = random_weights(rng, 5)
        monkeypatch.setattr(module, "RANGES_MAX", BUCKETS)
        simple = reallocate(slots, weights, total)
        monkeypatch.setattr(module, "RANGES_MAX", limit)
        new = reallocate(slots, weights, total)
        if len(simple) > limit:
            merged += 1
            assert len(new) <= limit
            assert_exact(slots, new, weights, total)
        else:
            assert new == simple, "as long as it fits, nothing else decides"
        slots = new
    assert merged > 10, "the sequence must need merging"


def test_a_line_that_cannot_be_merged_is_refused_with_a_way_out() -> None:
    # Every second pair of buckets belongs to a, every other one to b, up to the limit: whoever
    # grows into c cuts further.
    old = tuple(Slot(2 * i, 2 * i + 2, "ab"[i % 2]) for i in range(RANGES_MAX))
    weights = [("a", RANGES_MAX - 1), ("b", RANGES_MAX - 1), ("c", 2)]
    with pytest.raises(InvalidChange, match="reshuffled iteration"):
        reallocate(old, weights, 2 * RANGES_MAX, of(2 * RANGES_MAX))
