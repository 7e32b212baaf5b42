"""The sample-ratio check: whether the counts could have come of the slots.

Two tests of the units that an allocation dealt, against the buckets each treatment owns of it.

Pearson's chi-square: p is the upper tail of the chi-square distribution with one degree of freedom
less than there are treatments. A healthy allocation falls below 0.001 once in a thousand checks;
that threshold is the one Fabijan et al. use (KDD 2019, "Diagnosing Sample Ratio Mismatch"). It
holds for one look. Who looks each day sees it fall below sooner or later.

The sequential test of Lindon and Malek (2022, "Anytime-valid inference for multinomial count data",
arXiv 2011.03567): the marginal likelihood of the counts under a Dirichlet prior around the expected
shares, over their likelihood under these shares. Its inverse, at most 1, is a p that holds at every
look together: a healthy allocation ever falls below 0.001 once in a thousand experiments.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from allotment.errors import MissingExtra

ALARM: Final = 0.001

# Below this many expected units the statistic does not follow its distribution closely.
_EXPECTED_MIN: Final = 5

# How narrow the prior of the sequential test is, as if so many units had been seen before. The
# authors' own program has this default.
_CONCENTRATION: Final = 10_000


@dataclass(frozen=True, slots=True)
class Ratio:
    """The check of one allocation.

    counts   units that each treatment got
    buckets  buckets that each treatment owns
    p        the p-value of chi-square, or None where there is nothing to compare or too few units
    anytime  that of the sequential test, or None where there is nothing to compare
    """

    counts: tuple[int, ...]
    buckets: tuple[int, ...]
    p: float | None
    anytime: float | None

    @property
    def alarm(self) -> bool:
        """Whether the counts are too far from the buckets to be chance, for one look."""
        return self.p is not None and self.p < ALARM

    @property
    def expected(self) -> tuple[float, ...]:
        """How many units each treatment would have by its buckets."""
        units, total = sum(self.counts), sum(self.buckets)
        return tuple(units * owned / total if total else 0.0 for owned in self.buckets)

    @property
    def deviations(self) -> tuple[float, ...]:
        """How far each count is from the expected one, in standard deviations of a binomial."""
        units, total = sum(self.counts), sum(self.buckets)
        return tuple(
            _deviation(count, units, owned, total)
            for count, owned in zip(self.counts, self.buckets, strict=True)
        )


def sample_ratio(counts: Sequence[int], buckets: Sequence[int]) -> Ratio:
    """Check counts against buckets, treatment by treatment.

    A unit in a treatment that owns no bucket is impossible, so both p are 0.
    """
    pairs = list(zip(counts, buckets, strict=True))
    owning = [(count, owned) for count, owned in pairs if owned]
    if any(count and not owned for count, owned in pairs):
        p: float | None = 0.0
        anytime = p
    elif len(owning) < 2:
        p = anytime = None
    else:
        p, anytime = _chi_square(owning), _sequential(owning)
    return Ratio(tuple(counts), tuple(buckets), p, anytime)


def _chi_square(pairs: Sequence[tuple[int, int]]) -> float | None:
    units, total = (sum(each) for each in zip(*pairs, strict=True))
    if units * min(owned for _, owned in pairs) < _EXPECTED_MIN * total:
        return None
    means = [units * owned / total for _, owned in pairs]
    statistic = sum(
        (count - mean) ** 2 / mean for (count, _), mean in zip(pairs, means, strict=True)
    )
    return float(_special().chdtrc(len(pairs) - 1, statistic))


def _sequential(pairs: Sequence[tuple[int, int]]) -> float | None:
    """With n units, n_i of them in treatment i, its share t_i and the prior's concentration c:

    1 / p = G(c) / G(c + n) * product of G(c t_i + n_i) / (G(c t_i) * t_i ** n_i), G the gamma
    function.
    """
    units, total = (sum(each) for each in zip(*pairs, strict=True))
    if not units:
        return None
    log_gamma = _special().gammaln
    evidence = log_gamma(_CONCENTRATION) - log_gamma(_CONCENTRATION + units)
    for count, owned in pairs:
        prior = _CONCENTRATION * owned / total
        evidence += log_gamma(prior + count) - log_gamma(prior) - count * math.log(owned / total)
    return math.exp(min(0.0, -float(evidence)))


def _deviation(count: int, units: int, owned: int, total: int) -> float:
    if not owned:
        return math.inf if count else 0.0
    variance = units * owned * (total - owned) / total**2
    return (count - units * owned / total) / math.sqrt(variance) if variance else 0.0


def _special() -> Any:
    try:
        from scipy import special  # noqa: PLC0415  # takes a tenth of a second to import
    except ImportError as error:
        raise MissingExtra(
            "the sample-ratio check needs scipy: pip install 'allotment[batch]'"
        ) from error
    return special
