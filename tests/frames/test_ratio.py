"""The sample-ratio check: it tells chance from a fault, and says when it cannot."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from allotment.frames.ratio import ALARM, sample_ratio
from clients import python_with

PROBE = Path(__file__).with_name("ssrm_probe.py")

PAIRS = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(1_000, 500_000)), min_size=2, max_size=6
).filter(lambda pairs: sum(count for count, _ in pairs) > 0)


@given(
    st.lists(
        st.tuples(st.integers(0, 10**7), st.integers(1_000, 500_000)), min_size=2, max_size=10
    ).filter(lambda pairs: sum(count for count, _ in pairs) > 10_000)
)
def test_p_is_that_of_the_chi_square_test(pairs: list[tuple[int, int]]) -> None:
    counts, buckets = zip(*pairs, strict=True)
    p = sample_ratio(counts, buckets).p
    expected = [sum(counts) * owned / sum(buckets) for owned in buckets]
    if min(expected) >= 5:
        assert p == pytest.approx(scipy.stats.chisquare(counts, expected).pvalue, rel=1e-6)
    else:
        assert p is None


@pytest.mark.parametrize(
    ("counts", "buckets", "alarm"),
    [
        ((50_000, 50_000), (500_000, 500_000), False),
        ((50_300, 49_700), (500_000, 500_000), False),
        ((51_000, 49_000), (500_000, 500_000), True),
        ((30_000, 70_000), (300_000, 700_000), False),
        ((50_000, 50_000), (300_000, 700_000), True),
        ((50_000, 50_000), (100_000, 100_000), False),  # a gap takes no part
        ((50_000, 50_000, 1), (500_000, 500_000, 0), True),  # impossible, so no chance at all
    ],
)
def test_it_alarms_where_counts_leave_the_buckets(
    counts: tuple[int, ...], buckets: tuple[int, ...], alarm: bool
) -> None:
    assert sample_ratio(counts, buckets).alarm is alarm


@pytest.mark.parametrize(
    ("counts", "buckets"),
    [((100,), (1_000_000,)), ((2, 6), (500_000, 500_000)), ((0, 0), (1, 1)), ((7, 0), (5, 0)),
     ((999_999, 2), (999_999, 1))],
)  # fmt: skip
def test_it_says_nothing_where_there_is_nothing_to_compare(
    counts: tuple[int, ...], buckets: tuple[int, ...]
) -> None:
    ratio = sample_ratio(counts, buckets)
    assert ratio.p is None
    assert not ratio.alarm


def test_the_sequential_p_is_that_of_the_authors_own_program() -> None:
    """ssrm-test 0.1.5, with the shares as they are expected and its own prior."""
    cases = [
        ([5_000, 5_000], [500_000, 500_000]),
        ([5_150, 4_850], [500_000, 500_000]),
        ([5_300, 4_700], [500_000, 500_000]),
        ([50_912, 49_088], [500_000, 500_000]),
        ([1, 0], [500_000, 500_000]),
        ([34_000, 15_000, 51_000], [333_333, 166_667, 500_000]),
        ([900_123, 99_000, 877], [900_000, 99_000, 1_000]),
        ([300, 310], [30_000, 30_000]),  # a gap takes no part
    ]
    asked = [[counts, [owned / sum(buckets) for owned in buckets]] for counts, buckets in cases]
    done = subprocess.run(
        [python_with("ssrm-test==0.1.5", "--no-deps", "numpy", "scipy", "toolz"), PROBE],
        input="".join(json.dumps(each) + "\n" for each in asked),
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = [float(line) for line in done.stdout.split()]
    ours = [sample_ratio(counts, buckets).anytime for counts, buckets in cases]
    assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-300)
    assert min(theirs) < ALARM < max(theirs)


@given(PAIRS)
def test_the_sequential_p_is_the_inverse_of_a_ratio_of_likelihoods(
    pairs: list[tuple[int, int]],
) -> None:
    counts, buckets = zip(*pairs, strict=True)
    units, shares = sum(counts), np.array(buckets) / sum(buckets)
    prior = scipy.stats.dirichlet_multinomial(10_000 * shares, units).logpmf(counts)
    evidence = prior - scipy.stats.multinomial(units, shares).logpmf(counts)
    p = sample_ratio(counts, buckets).anytime
    assert p is not None
    assert p == pytest.approx(min(1.0, np.exp(-evidence)), rel=1e-3, abs=1e-300)


def test_who_looks_a_hundred_times_is_alarmed_by_chi_square_and_not_by_the_sequential_test(
    seed: int,
) -> None:
    """1,000 healthy experiments of 100,000 units, each looked at after every thousandth unit."""
    rng = np.random.default_rng(seed)
    per_look = rng.binomial(1_000, 0.5, size=(1_000, 100)).cumsum(axis=1)
    alarms = {"chi-square": 0, "sequential": 0}
    for experiment in per_look.tolist():
        looks = [(count, 1_000 * n - count) for n, count in enumerate(experiment, 1)]
        halves = (500_000, 500_000)
        alarms["chi-square"] += any(sample_ratio(look, halves).alarm for look in looks)
        alarms["sequential"] += any(
            (sample_ratio(look, halves).anytime or 0) < ALARM for look in looks
        )
    assert alarms["chi-square"] > 10  # ten times what one look has
    assert alarms["sequential"] <= 5  # one is expected at the most


def test_the_sequential_test_finds_one_percent_too_many() -> None:
    halves = (500_000, 500_000)
    assert (sample_ratio((50_500 * 4, 49_500 * 4), halves).anytime or 1) < ALARM
    assert sample_ratio((10, 0), (500_000, 0)).anytime is None  # one treatment: nothing to compare
    assert sample_ratio((0, 0), halves).anytime is None
    assert sample_ratio((10, 1), (500_000, 0)).anytime == 0  # a unit where none can be


def test_the_deviation_of_a_count_is_in_standard_deviations() -> None:
    ratio = sample_ratio((5_100, 4_900), (500_000, 500_000))
    assert ratio.deviations == pytest.approx((2.0, -2.0))
    assert ratio.expected == (5_000, 5_000)
    assert sample_ratio((5, 1), (10, 0)).deviations == (0.0, float("inf"))
