"""Half-open bucket ranges and who owns them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias


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
