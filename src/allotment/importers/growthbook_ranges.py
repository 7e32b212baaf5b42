"""GrowthBook's ranges of a hash between 0 and 1, in its own arithmetic, and as buckets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, TypeAlias

from allotment.model.profile import PROFILES
from allotment.model.slots import Range, Ranges, Slot, join, subtract

Span: TypeAlias = tuple[float, float]

# Weights that sum to less or more are taken for equal ones.
_LEAST: Final = 0.99
_MOST: Final = 1.01

NAMESPACE: Final = "growthbook-namespace-1"


def profile_of(version: int | None) -> str | None:
    """The profile of a version of the hash, which is the first one where none is given."""
    return {1: "growthbook-1", 2: "growthbook-2"}.get(version or 1)


def bucket_ranges(count: int, coverage: float, weights: Sequence[float] | None) -> list[Span]:
    """The range of each variation, as the platform adds them up."""
    coverage = min(max(coverage, 0), 1)
    if weights is None or not _are_weights(weights, count):
        weights = [1 / count] * count
    ranges, end = [], 0.0
    for weight in weights:
        start = end
        end += weight
        ranges.append((start, start + coverage * weight))
    return ranges


def _are_weights(weights: Sequence[float], count: int) -> bool:
    if len(weights) != count or not all(math.isfinite(w) and w >= 0 for w in weights):
        return False
    return _LEAST <= sum(weights) <= _MOST


def in_range(value: float, span: Span) -> bool:
    """Whether a hash lies in a range."""
    return span[0] <= value < span[1]


def choose(value: float, ranges: Sequence[Span]) -> int:
    """The first range that has a hash, or -1."""
    return next((index for index, span in enumerate(ranges) if in_range(value, span)), -1)


def buckets_in(profile: str, span: Span) -> Ranges:
    """The buckets of a profile whose hash lies in a range."""
    start, stop = (PROFILES[profile].edge(bound, 1.0) for bound in span)
    return (Range(start, stop),) if start < stop else ()


def slots_of(
    profile: str, ranges: Sequence[Span], owners: Sequence[str | None]
) -> tuple[Slot, ...]:
    """The buckets of each owner: the first range that has one counts, and None owns nothing."""
    taken: list[Ranges] = []
    slots: list[Slot] = []
    for span, owner in zip(ranges, owners, strict=False):
        own = subtract(buckets_in(profile, span), taken)
        taken.append(own)
        if owner is not None:
            slots += [Slot(start, stop, owner) for start, stop in join(own)]
    return tuple(sorted(slots))
