"""Half-open bucket ranges, who owns them, and set operations on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

from allotment.model.limits import BUCKETS


class Slot(NamedTuple):
    """The buckets start, start + 1, ... stop - 1, owned by a treatment."""

    start: int
    stop: int
    owner: str


Slots: TypeAlias = tuple[Slot, ...]


class Range(NamedTuple):
    """The buckets start, start + 1, ... stop - 1."""

    start: int
    stop: int


Ranges: TypeAlias = tuple[Range, ...]


def is_orderly(ranges: Sequence[Slot] | Sequence[Range], buckets: int) -> bool:
    """Whether the ranges are non-empty, ascending, disjoint and within [0, buckets)."""
    edge = 0
    for item in ranges:
        if not edge <= item.start < item.stop <= buckets:
            return False
        edge = item.stop
    return True


def size(ranges: Iterable[Slot] | Iterable[Range]) -> int:
    """How many buckets the ranges hold."""
    return sum(item.stop - item.start for item in ranges)


WHOLE: Final[Ranges] = (Range(0, BUCKETS),)


def lowest(ranges: Ranges, count: int) -> Ranges:
    """The lowest `count` buckets of the ranges, or all where there are fewer."""
    taken: list[Range] = []
    for start, stop in ranges:
        if count <= 0:
            break
        taken.append(Range(start, min(stop, start + count)))
        count -= stop - start
    return tuple(taken)


def subtract(ranges: Ranges, taken: Iterable[Ranges]) -> Ranges:
    """The buckets of `ranges` that are in none of `taken`."""
    holes = join(hole for owned in taken for hole in owned)
    left: list[Range] = []
    index = 0
    for start, stop in ranges:
        edge = start
        while index < len(holes) and holes[index].stop <= start:
            index += 1
        for hole in holes[index:]:
            if hole.start >= stop:
                break
            if edge < hole.start:
                left.append(Range(edge, hole.start))
            edge = hole.stop
        if edge < stop:
            left.append(Range(edge, stop))
    return tuple(left)


def intersect(one: Ranges, other: Ranges) -> Ranges:
    """The buckets that are in both."""
    return subtract(one, [subtract(one, [other])])


def join(ranges: Iterable[Range]) -> Ranges:
    """The same buckets as ascending ranges that do not touch."""
    joined: list[Range] = []
    for start, stop in sorted(ranges):
        if joined and start <= joined[-1].stop:
            joined[-1] = Range(joined[-1].start, max(stop, joined[-1].stop))
        else:
            joined.append(Range(start, stop))
    return tuple(joined)


def covers(ranges: Ranges, others: Ranges) -> bool:
    """Whether every bucket of `others` is in `ranges`."""
    return not subtract(others, [ranges])
