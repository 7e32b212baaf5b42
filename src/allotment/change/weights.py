"""What the weights of an allocation must satisfy, and what before slots can be laid for them."""

from __future__ import annotations

from collections.abc import Collection

from allotment.change.nearest import nearest
from allotment.change.reallocate import counts
from allotment.errors import InvalidChange, NotFound
from allotment.model.experiment import Allocation
from allotment.model.limits import BUCKETS, WHOLE_MAX


def is_over(allocation: Allocation) -> bool:
    """Whether the weights sum to more than their total, so that no slots can be laid."""
    return sum(part for _, part in allocation.weights) > allocation.total


def check_weights(
    allocation: Allocation, treatments: Collection[str], path: str, *, draft: bool
) -> None:
    """Raise InvalidChange unless the weights are whole parts of the total, one a treatment.

    A draft may have them above the total for a while.
    """
    total = allocation.total
    if type(total) is not int or not 1 <= total <= WHOLE_MAX:
        raise InvalidChange(f"the total is a whole number, 1 to {WHOLE_MAX:,}", path)
    seen: set[str] = set()
    for treatment, part in allocation.weights:
        if treatment not in treatments:
            near = nearest(treatment, treatments)
            raise NotFound(f"there is no treatment {treatment!r} to give a weight{near}", path)
        if treatment in seen:
            raise InvalidChange(f"treatment {treatment!r} has two weights; keep one", path)
        if type(part) is not int or part < 0:
            raise InvalidChange(
                f"the weight of {treatment!r} is not a whole number, 0 or more", path
            )
        seen.add(treatment)
    parts = sum(part for _, part in allocation.weights)
    if parts > WHOLE_MAX:
        raise InvalidChange(f"the weights sum to at most {WHOLE_MAX:,}, not to {parts:,}", path)
    if parts > total and not draft:
        raise InvalidChange(
            f"the weights sum to {parts:,}, which is {parts - total:,} above their total of "
            f"{total:,}; lower one, or raise the total",
            path,
            code="weights",
        )


def check_owns_buckets(allocation: Allocation, path: str) -> None:
    """Raise InvalidChange where a treatment has a weight and yet no bucket."""
    total = allocation.total
    owned = counts(allocation.weights, total)
    for treatment, part in allocation.weights:
        if part and not owned[treatment]:
            raise InvalidChange(
                f"the weight of {treatment!r}, {part:,} of {total:,}, is less than one bucket of "
                f"{BUCKETS:,}, so that no unit would get it; make it 0, or "
                f"{-(-total // BUCKETS):,} or more",
                path,
                code="weights",
            )
