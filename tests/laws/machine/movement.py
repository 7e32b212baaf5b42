"""How much of each allocation moves between two catalogs, and how little its weights allow."""

from __future__ import annotations

from collections.abc import Iterator

from allotment.change.reallocate import counts, moved, pairs
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation
from allotment.model.limits import BUCKETS


def movements(old: Catalog, new: Catalog) -> Iterator[tuple[str, str, int, int]]:
    """Of all allocations of what runs before and after: how many buckets move, and how few may."""
    for key in sorted({*old.experiments} & {*new.experiments}):
        was, now = old.experiments[key].live, new.experiments[key].live
        if was is None or now is None:
            continue
        for one, other in pairs(was.allocations, now.allocations):
            name = other.key if other else one.key if one else ""
            if was.salt != now.salt:
                yield key, name, BUCKETS, BUCKETS
                continue
            before, after = _owned(one), _owned(other)
            least = sum(max(0, count - after.get(owner, 0)) for owner, count in before.items())
            yield key, name, moved(one.slots if one else (), other.slots if other else ()), least


def _owned(allocation: Allocation | None) -> dict[str, int]:
    """The buckets of each treatment, and under "" those of none."""
    if allocation is None:
        return {"": BUCKETS}
    return counts(allocation.weights, allocation.total)


def check_moves(old: Catalog, new: Catalog) -> None:
    """Exactly the total variation moved."""
    for key, name, count, least in movements(old, new):
        assert count == least, (key, name)
