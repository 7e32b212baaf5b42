"""Buckets laid so that two samples that do not exclude each other are near independent."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Final

from allotment.change.ranges import join, lowest
from allotment.model.limits import BUCKETS
from allotment.model.slots import Range, Ranges, size

# 500 chunks: fine enough for two samples to meet as often as chance would have it, give or take a
# few percent, and few enough that a sample of any share stays far below the most ranges.
CHUNK: Final = 2_000


def scattered(ranges: Ranges, count: int, key: str) -> Ranges:
    """`count` buckets of the ranges, or all where there are fewer, chunk after chunk.

    The order of the chunks is hashed from the key, so that the same few chunks are not everyone's
    first ones; in a chunk the lowest buckets come first.
    """
    if size(ranges) <= count:
        return ranges
    parts: dict[int, list[Range]] = {}
    for start, stop in ranges:
        for chunk in range(start // CHUNK, (stop - 1) // CHUNK + 1):
            edges = Range(max(start, chunk * CHUNK), min(stop, (chunk + 1) * CHUNK))
            parts.setdefault(chunk, []).append(edges)
    taken: list[Range] = []
    for chunk in _order(key):
        if count <= 0:
            break
        some = lowest(tuple(parts.get(chunk, ())), count)
        taken.extend(some)
        count -= size(some)
    return join(taken)


@lru_cache(maxsize=1024)
def _order(key: str) -> tuple[int, ...]:
    def rank(chunk: int) -> bytes:
        return blake2b(f"{chunk}/{key}".encode(), digest_size=8).digest()

    return tuple(sorted(range(BUCKETS // CHUNK), key=rank))
