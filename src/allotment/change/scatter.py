"""Buckets laid so that two samples that do not exclude each other are independent.

The line is cut into a prime number of blocks, and a sample has the same part of each: a strip that
begins at another place in each block, by a slope. Of two slopes the difference goes through all
places once, so that two strips meet in exactly the product of their shares, but for rounding.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

from allotment.change.ranges import join
from allotment.model.limits import BUCKETS, RANGES_MAX
from allotment.model.slots import Range, Ranges, size

# Primes: a strip is one range of each block, or two, and more where others have part of the block.
# The fewer blocks, the fewer ranges; with one the lowest buckets are taken.
_BLOCKS: Final = (251, 83, 23, 1)

# How many slopes a sample looks at for one that no other has.
_TRIES: Final = 16


class _Piece(NamedTuple):
    """Buckets from `start` on, that are the rows from `low` to `high` of their block."""

    low: int
    high: int
    start: int


def scattered(
    ranges: Ranges,
    count: int,
    name: str,
    others: Collection[str] = (),
    beside: Ranges = (),
) -> Ranges:
    """`count` buckets of the ranges, or all where there are fewer, in the order of a slope.

    The slope is the name's: the first of its own that is none of the `others`. In the order of one
    slope fewer buckets are always the first of more, and the next ones lie beside them. Together
    with `beside`, what a sample has already, they are to be no more than RANGES_MAX ranges.
    """
    if size(ranges) <= count:
        return ranges
    found: Ranges = ()
    for blocks in _BLOCKS:
        found = _first_rows(ranges, count, blocks, *_slope_of(name, others, blocks))
        if len(join([*beside, *found])) <= RANGES_MAX:
            break
    return found


def _slope_of(name: str, others: Collection[str], blocks: int) -> tuple[int, int]:
    """A slope, and where in the first block its strip begins."""
    taken = {_hashed(other, 0, blocks)[0] for other in others}
    for number in range(_TRIES):
        slope, begin = _hashed(name, number, blocks)
        if slope not in taken:
            return slope, begin
    return _hashed(name, 0, blocks)


@lru_cache(maxsize=8192)
def _hashed(name: str, number: int, blocks: int) -> tuple[int, int]:
    text = f"{number}/{name}".encode()
    slope, begin = divmod(int.from_bytes(blake2b(text, digest_size=8).digest(), "big"), blocks)
    return slope % blocks, begin


def _first_rows(ranges: Ranges, count: int, blocks: int, slope: int, begin: int) -> Ranges:
    """The first `count` buckets row by row, of which each has one bucket of each block."""
    pieces = [*_pieces(ranges, blocks, slope, begin)]
    rows, rest = _rows(pieces, count)
    taken: list[Range] = []
    for low, high, start in pieces:
        more = 1 if rest and low <= rows < high else 0
        rest -= more
        kept = min(high, rows) - low if low < rows else 0
        if kept + more:
            taken.append(Range(start, start + kept + more))
    return join(taken)


def _rows(pieces: list[_Piece], count: int) -> tuple[int, int]:
    """How many whole rows hold at most `count` buckets, and how many more buckets are wanted.

    The pieces hold more than `count`.
    """
    edges = [(low, 1) for low, _, _ in pieces] + [(high, -1) for _, high, _ in pieces]
    row = width = 0
    for edge, step in sorted(edges):
        if (edge - row) * width > count:
            break
        count -= (edge - row) * width
        row, width = edge, width + step
    return (row + count // width, count % width) if width else (row, count)


def _pieces(ranges: Ranges, blocks: int, slope: int, begin: int) -> Iterator[_Piece]:
    """The ranges, cut at the ends of blocks and where in each the strip begins."""
    length = BUCKETS // blocks
    for start, stop in ranges:
        edge = start
        while edge < stop:
            block = min(edge // length, blocks - 1)
            low = block * length
            high = low + length if block < blocks - 1 else BUCKETS
            first = low + (slope * block + begin) % blocks * length // blocks
            end = min(stop, first if edge < first else high)
            row = edge - first if edge >= first else edge - first + high - low
            yield _Piece(row, row + end - edge, edge)
            edge = end
