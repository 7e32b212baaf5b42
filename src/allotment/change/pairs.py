"""Which allocation of one iteration is which of another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from allotment.model.experiment import Allocation


def pairs(
    before: Iterable[Allocation], after: Iterable[Allocation]
) -> Iterator[tuple[Allocation | None, Allocation | None]]:
    """Each new allocation with the old one under its key, else the one that served the same units.

    An allocation that comes or goes stands beside None.
    """
    after = tuple(after)
    left = {allocation.key: allocation for allocation in before}
    twins = {now.key: left.pop(now.key, None) for now in after}
    for now in after:
        was = twins[now.key]
        if was is None:
            alike = (one for one in left.values() if _serves(one) == _serves(now))
            was = next(alike, None)
            if was is not None:
                del left[was.key]
        yield was, now
    for gone in left.values():
        yield gone, None


def _serves(allocation: Allocation) -> tuple[str | None, bool]:
    return allocation.segment, allocation.fallback
