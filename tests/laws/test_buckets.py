"""The edges that the laws stand on are the edges of the frozen formula."""

from __future__ import annotations

from random import Random

import numpy as np

from allotment.model.limits import BUCKETS
from allotment.reference.draw import bucket
from laws.buckets import FIRST, LAST


def test_the_first_and_last_draws_enclose_their_bucket() -> None:
    some = np.array([0, 1, 499_999, 500_000, BUCKETS - 1, *Random(1).sample(range(BUCKETS), 5000)])
    for number, first, last in zip(
        some.tolist(), FIRST[some].tolist(), LAST[some].tolist(), strict=True
    ):
        assert bucket(first) == bucket(last) == number
        assert number == 0 or bucket(first - 1) == number - 1


def test_the_buckets_cover_every_draw_once() -> None:
    assert (FIRST[0], LAST[-1]) == (0, 2**64 - 1)
    assert np.array_equal(LAST[:-1] + np.uint64(1), FIRST[1:])
    assert (LAST > FIRST).all()
