"""The sample-ratio check: it tells chance from a fault, and says when it cannot."""

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from allotment.frames.ratio import sample_ratio


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
