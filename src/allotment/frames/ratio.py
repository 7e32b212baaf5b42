"""The sample-ratio check: whether the counts could have come of the slots.

Pearson's chi-square statistic over the units that an allocation dealt, against the buckets each
treatment owns of it; p is the upper tail of the chi-square distribution with one degree of freedom
less than there are treatments. A healthy allocation falls below 0.001 once in a thousand checks;
that threshold is the one Fabijan et al. use (KDD 2019, "Diagnosing Sample Ratio Mismatch").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from allotment.errors import MissingExtra

ALARM: Final = 0.001

# Below this many expected units the statistic does not follow its distribution closely.
_EXPECTED_MIN: Final = 5


@dataclass(frozen=True, slots=True)
class Ratio:
    """The check of one allocation.

    counts   units that each treatment got
    buckets  buckets that each treatment owns
    p        the p-value, or None where there is nothing to compare or too few units
    """

    counts: tuple[int, ...]
    buckets: tuple[int, ...]
    p: float | None

    @property
    def alarm(self) -> bool:
        """Whether the counts are too far from the buckets to be chance."""
        return self.p is not None and self.p < ALARM


def sample_ratio(counts: Sequence[int], buckets: Sequence[int]) -> Ratio:
    """Check counts against buckets, treatment by treatment.

    A unit in a treatment that owns no bucket is impossible, so its p is 0.
    """
    return Ratio(tuple(counts), tuple(buckets), _p_value(counts, buckets))


def _p_value(counts: Sequence[int], buckets: Sequence[int]) -> float | None:
    if any(count and not owned for count, owned in zip(counts, buckets, strict=True)):
        return 0.0
    pairs = [(count, owned) for count, owned in zip(counts, buckets, strict=True) if owned]
    units, total = sum(counts), sum(buckets)
    if len(pairs) < 2 or units * min(owned for _, owned in pairs) < _EXPECTED_MIN * total:
        return None
    expected = [units * owned / total for _, owned in pairs]
    statistic = sum(
        (count - mean) ** 2 / mean for (count, _), mean in zip(pairs, expected, strict=True)
    )
    return _chi_square_tail(len(pairs) - 1, statistic)


def _chi_square_tail(freedom: int, statistic: float) -> float:
    try:
        from scipy.special import chdtrc  # noqa: PLC0415  # takes a tenth of a second to import
    except ImportError as error:
        raise MissingExtra(
            "the sample-ratio check needs scipy: pip install 'allotment[batch]'"
        ) from error
    return float(chdtrc(freedom, statistic))
