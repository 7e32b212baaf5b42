"""Which buckets a sample gets.

Two samples that do not exclude each other are independent. The line of buckets is cut into a prime
number of blocks. A sample has the same part of each block: a strip that begins at another place in
each block, by a slope. The difference of two slopes goes through all places once, so two strips
share exactly the product of their shares, but for rounding.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

from allotment.change.check.sample import check_form
from allotment.change.kinds import noun_path
from allotment.change.proposal import Proposal
from allotment.errors import Conflict, InvalidChange
from allotment.model.layer import Layer
from allotment.model.limits import BUCKETS, RANGES_MAX
from allotment.model.segment import Sample, Segment
from allotment.model.slots import WHOLE, Range, Ranges, join, size, subtract


def with_sample(new: Segment, old: Segment | None, proposal: Proposal) -> Segment:
    """The segment with the ranges of its sample laid, where it has one and leaves them open.

    `old` is the segment before: it keeps the buckets that it has and may keep. Raises Conflict if
    too few buckets are free.
    """
    sample = new.sample
    if sample is None:
        return new
    check_form(sample, sample_path(new))
    tags, exclusive = sorted(sample.tags), sorted(sample.exclusive_to)
    sample = replace(sample, tags=tuple(tags), exclusive_to=tuple(exclusive))
    was = old.sample if old else None
    if sample.ranges:
        _check_size(sample, sample_path(new))
    elif sample.layer is None:
        whole = Range(0, sample.share_ppm)
        sample = replace(sample, ranges=(whole,) if sample.share_ppm else ())
    else:
        own = was.ranges if was and was.layer == sample.layer else ()
        beside = [each for each in samples_in(sample.layer, proposal) if each[0] != new.key]
        layer = proposal.find("layer", sample.layer)
        taken = [r.ranges for r in layer.reservations] if isinstance(layer, Layer) else []
        taken += [other.ranges for _, other in beside if sample.excludes(other)]
        others = {name_of(*each) for each in beside if not sample.excludes(each[1])}
        sample = replace(sample, ranges=_laid(new, sample, own, taken, others))
    return replace(new, sample=sample)


def _laid(
    segment: Segment, sample: Sample, own: Ranges, taken: list[Ranges], others: set[str]
) -> Ranges:
    """`own` without what is `taken`, with as many free buckets as are missing; `others` are the
    names of the samples that share units with it."""
    name = name_of(segment.key, sample)
    own = scattered(subtract(own, taken), sample.share_ppm, name)
    missing = sample.share_ppm - size(own)
    free = subtract(WHOLE, [own, *taken])
    if size(free) < missing:
        raise Conflict(
            f"{missing:,} more of the layer's buckets are needed, but only {size(free):,} are "
            "free of what excludes this sample; let another sample or reservation shrink first",
            f"{sample_path(segment)}.share",
            code="no_room",
        )
    return join([*own, *scattered(free, missing, name, others, own)])


def name_of(key: str, sample: Sample) -> str:
    """What a sample is scattered by: its key, or for those that exclude each other by one tag, the
    tag, so that they lie side by side."""
    return min({*sample.tags} & {*sample.exclusive_to}, default=key)


def _check_size(sample: Sample, path: str) -> None:
    if size(sample.ranges) != sample.share_ppm:
        raise InvalidChange(
            f"the ranges hold {size(sample.ranges):,} buckets, the share says "
            f"{sample.share_ppm:,}; make them agree",
            f"{path}.ranges",
        )


def samples_in(layer: str, proposal: Proposal) -> Iterator[tuple[str, Sample]]:
    """The samples of a layer, each with the key of its segment."""
    keys = {key for kind, key in proposal.changed if kind == "segment"}
    for key in sorted(keys | proposal.catalog.users.get(f"sampled:{layer}", frozenset())):
        segment = proposal.find("segment", key)
        if isinstance(segment, Segment) and segment.sample and segment.sample.layer == layer:
            yield key, segment.sample


def sample_path(segment: Segment) -> str:
    """The path of a segment's sample."""
    return f"{noun_path('segment', segment.key)}.sample"


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
