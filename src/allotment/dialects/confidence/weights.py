"""Weights: parts of 10,000, of which those that nobody has are a gap, whose units get nothing."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import lcm
from typing import Final, TypeAlias

from allotment.dialects.wire.place import Place
from allotment.model.experiment import Allocation, Iteration
from allotment.model.number import to_parts

PARTS: Final = 10_000

_HUNDRED: Final = Decimal(100)
_PERCENT: Final = Decimal(PARTS) / _HUNDRED

# (treatment, parts), as an allocation has them.
Weights: TypeAlias = tuple[tuple[str, int], ...]

_WEIGHT_MAX: Final = 2**31 - 1


def first_asked(iteration: Iteration) -> Allocation | None:
    """The allocation whose weights this API shows: the first that is asked, the fallback last."""
    return min(
        iteration.allocations, key=lambda one: (one.fallback, one.priority, one.key), default=None
    )


def shown_weights(iteration: Iteration) -> dict[str, int]:
    """Each treatment's weight in parts of 10,000, the nearest where it is no whole number."""
    allocation = first_asked(iteration)
    parts = dict(allocation.weights) if allocation else {}
    total = allocation.total if allocation else PARTS
    return {
        one.key: (parts.get(one.key, 0) * 2 * PARTS + total) // (2 * total)
        for one in iteration.treatments
    }


def read_weight(place: Place) -> int:
    """A whole number, or one as text: the JSON of protocol buffers spells it either way."""
    if not place.given:
        return 0
    if not isinstance(place.value, str):
        return place.whole(0, _WEIGHT_MAX)
    return place.digits(0, _WEIGHT_MAX)


def exact(asked: Sequence[tuple[str, int]], old: Iteration | None) -> tuple[Weights, int]:
    """The weights as parts of one total; who is asked as it is shown keeps its exact one.

    The total is the least that will do, as it is for percentages: 3,000 of 10,000 is 30 of 100.
    """
    allocation = first_asked(old) if old else None
    if old is None or allocation is None:
        return _least(asked)
    was, shown, there = dict(allocation.weights), shown_weights(old), allocation.total
    same = {key for key, weight in asked if shown.get(key) == weight}
    if len(same) == len(asked):
        return tuple((key, was.get(key, 0)) for key, _ in asked), there
    if not same or PARTS % there == 0:
        return _least(asked)
    total = lcm(there, PARTS)
    weights = (
        (key, was.get(key, 0) * total // there if key in same else weight * total // PARTS)
        for key, weight in asked
    )
    return tuple(weights), total


def _least(asked: Sequence[tuple[str, int]]) -> tuple[Weights, int]:
    parts, total = to_parts([Decimal(weight) / _PERCENT for _, weight in asked], _HUNDRED)
    return tuple((key, part) for (key, _), part in zip(asked, parts, strict=True)), total
