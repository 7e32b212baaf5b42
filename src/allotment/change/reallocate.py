"""Weights to slots, and new slots out of old ones with the fewest possible moves.

The gap, the parts that no treatment has, counts as one more treatment after the last. Everything
here is a pure function of integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from allotment.errors import InvalidChange
from allotment.model.experiment import Allocation
from allotment.model.limits import BUCKETS, RANGES_MAX
from allotment.model.profile import NATIVE, PROFILES, Profile
from allotment.model.slots import Slot, Slots

Weights: TypeAlias = Sequence[tuple[str, int]]

_GAP: Final = ""  # no treatment has this key
_NATIVE: Final = PROFILES[NATIVE]


def counts(weights: Weights, total: int, profile: Profile = _NATIVE) -> dict[str, int]:
    """How many buckets each treatment owns, and last, under "", how many have no owner.

    A profile that adds up floats says it itself. For the others,
    largest remainder: everyone gets the floor of `parts / total * buckets`; the buckets that are
    left over go one each to the largest remainders, of equal ones to the earlier. The weights are
    0 or more and sum to at most `total`, which is at least 1.
    """
    buckets = profile.count(total)
    edges = profile.edges([part for _, part in weights], total)
    if edges is not None:
        starts, owners = [0, *edges], [*(owner for owner, _ in weights), _GAP]
        stops = [*edges, buckets]
        return {o: stop - start for o, start, stop in zip(owners, starts, stops, strict=True)}
    parts = [*weights, (_GAP, total - sum(part for _, part in weights))]
    quotas = [divmod(part * buckets, total) for _, part in parts]
    floors = [floor for floor, _ in quotas]
    if left := buckets - sum(floors):
        by_remainder = sorted(range(len(parts)), key=lambda index: -quotas[index][1])
        for index in by_remainder[:left]:
            floors[index] += 1
    return {owner: floor for (owner, _), floor in zip(parts, floors, strict=True)}


def exact_counts(weights: Weights, total: int, buckets: int) -> dict[str, int] | None:
    """How many buckets each treatment that has some owns, where no part has a remainder."""
    quotas = {owner: divmod(part * buckets, total) for owner, part in weights if part}
    if any(rest for _, rest in quotas.values()):
        return None
    return {owner: count for owner, (count, _) in quotas.items()}


def lay(weights: Weights, total: int, profile: Profile = _NATIVE) -> Slots:
    """Slots from nothing: contiguous from bucket 0 in the order of the treatments."""
    slots: list[Slot] = []
    edge = 0
    for owner, count in counts(weights, total, profile).items():
        if count and owner != _GAP:
            slots.append(Slot(edge, edge + count, owner))
        edge += count
    return tuple(slots)


def reallocate(old: Slots, weights: Weights, total: int, profile: Profile = _NATIVE) -> Slots:
    """Slots for new weights that move exactly the total-variation distance from the old ones.

    Shrinking treatments give up their highest buckets; growing ones, in the order of the weights,
    take these from the lowest on. Where that would cut the line into more than RANGES_MAX ranges,
    as few buckets move, but those whose ranges merge. A treatment that is not in the weights any
    more gives up all it has. From no slots at all this is `lay`. Raises InvalidChange where even
    merging leaves too many ranges.
    """
    if not old:
        return lay(weights, total, profile)
    buckets = profile.count(total)
    if old[-1].stop > buckets:
        raise InvalidChange(
            f"with {profile.name} the total of the weights is how many buckets there are; it is "
            f"not lowered to {buckets:,} while bucket {old[-1].stop - 1:,} is dealt"
        )
    wanted = counts(weights, total, profile)
    pieces = _with_gaps(old, buckets)
    owned: dict[str, int] = {}
    for piece in pieces:
        owned[piece.owner] = owned.get(piece.owner, 0) + piece.stop - piece.start
    surplus = {owner: n - wanted.get(owner, 0) for owner, n in owned.items()}
    surplus = {owner: excess for owner, excess in surplus.items() if excess > 0}
    if not surplus:
        return old
    growth = {owner: n - owned.get(owner, 0) for owner, n in wanted.items()}
    growth = {owner: need for owner, need in growth.items() if need > 0}
    new = _tidy(_deal(*_give_highest(pieces, dict(surplus)), dict(growth)))
    if len(new) > RANGES_MAX:
        new = _tidy(_merge(*_give_smallest(pieces, surplus, growth), growth))
    if len(new) > RANGES_MAX:
        raise InvalidChange(
            f"these weights would cut the buckets into {len(new):,} ranges, above {RANGES_MAX:,}; "
            "start a reshuffled iteration to lay them afresh"
        )
    return new


def moved(old: Slots, new: Slots, buckets: int = BUCKETS) -> int:
    """How many buckets have another owner in `new` than in `old`, the gap being an owner too."""
    return sum(n for (was, now), n in crossings(old, new, buckets).items() if was != now)


def crossings(old: Slots, new: Slots, buckets: int = BUCKETS) -> dict[tuple[str, str], int]:
    """How many buckets go from which owner to which; "" is the gap, and some stay."""
    before, after = _with_gaps(old, buckets), _with_gaps(new, buckets)
    found: dict[tuple[str, str], int] = {}
    i = j = edge = 0
    while edge < buckets:
        stop = min(before[i].stop, after[j].stop)
        owners = before[i].owner, after[j].owner
        found[owners] = found.get(owners, 0) + stop - edge
        i += before[i].stop == stop
        j += after[j].stop == stop
        edge = stop
    return found


def _with_gaps(slots: Slots, buckets: int) -> list[Slot]:
    """The whole line: the slots, and between them the gaps."""
    line: list[Slot] = []
    edge = 0
    for slot in slots:
        if edge < slot.start:
            line.append(Slot(edge, slot.start, _GAP))
        line.append(slot)
        edge = slot.stop
    if edge < buckets:
        line.append(Slot(edge, buckets, _GAP))
    return line


def _tidy(pieces: Iterable[Slot]) -> Slots:
    """The pieces in order, neighbours of one owner as one, without the gaps."""
    tidy: list[Slot] = []
    for piece in sorted(pieces):
        if tidy and tidy[-1].owner == piece.owner and tidy[-1].stop == piece.start:
            tidy[-1] = Slot(tidy[-1].start, piece.stop, piece.owner)
        else:
            tidy.append(piece)
    return tuple(piece for piece in tidy if piece.owner != _GAP)


def _give_highest(line: list[Slot], surplus: dict[str, int]) -> tuple[list[Slot], list[Slot]]:
    """What stays and, ascending, what is given: from each shrinking owner the highest buckets."""
    kept: list[Slot] = []
    given: list[Slot] = []
    for start, stop, owner in reversed(line):
        cut = stop - min(surplus.get(owner, 0), stop - start)
        if cut < stop:
            given.append(Slot(cut, stop, owner))
            surplus[owner] -= stop - cut
        if start < cut:
            kept.append(Slot(start, cut, owner))
    return kept, given[::-1]


def _deal(kept: list[Slot], given: list[Slot], growth: dict[str, int]) -> list[Slot]:
    """Deal what is given to the growing owners in turn; each one's share lies together."""
    dealt = list(kept)
    takers = iter(growth.items())
    owner, need = next(takers)
    for start, stop, _ in given:
        edge = start
        while edge < stop:
            if not need:
                owner, need = next(takers)
            taken = min(need, stop - edge)
            dealt.append(Slot(edge, edge + taken, owner))
            edge, need = edge + taken, need - taken
    return dealt


def _give_smallest(
    line: list[Slot], surplus: dict[str, int], growth: dict[str, int]
) -> tuple[list[Slot], list[Slot]]:
    """What stays and what is given: whole ranges, the smallest first, then one part of a range.

    A range that goes as a whole brings no new edge, and between two ranges of its taker removes
    two. The last part is cut where a growing owner is the neighbour, if it has one there.
    """
    rest = dict(surplus)
    gone: set[int] = set()
    for index in sorted(range(len(line)), key=lambda i: (line[i].stop - line[i].start, -i)):
        start, stop, owner = line[index]
        if 0 < stop - start <= rest.get(owner, 0):
            gone.add(index)
            rest[owner] -= stop - start
    kept = [piece for index, piece in enumerate(line) if index not in gone]
    given = [line[index] for index in sorted(gone)]
    for owner, part in rest.items():
        if part:
            kept, cut = _cut(kept, owner, part, {g.start for g in given}, growth)
            given.append(cut)
    return kept, sorted(given)


def _cut(
    kept: list[Slot], owner: str, part: int, given: set[int], growth: dict[str, int]
) -> tuple[list[Slot], Slot]:
    """Cut `part` buckets off the top of a range of `owner`, one that something growing follows."""
    grows = {piece.start for piece in kept if piece.owner in growth} | given
    mine = [piece for piece in kept if piece.owner == owner]
    best = max(mine, key=lambda piece: (piece.stop in grows, piece.start))
    rest = [piece for piece in kept if piece is not best]
    rest.append(Slot(best.start, best.stop - part, owner))
    return sorted(rest), Slot(best.stop - part, best.stop, owner)


def _merge(kept: list[Slot], given: list[Slot], growth: dict[str, int]) -> list[Slot]:
    """Deal what is given so that it merges: to the owner on its left, else its right, else to who
    needs most."""
    need = dict(growth)
    ends = {piece.stop: piece.owner for piece in kept}
    starts = {piece.start: piece.owner for piece in kept}
    dealt = list(kept)
    for start, stop, _ in given:
        edge = start
        while edge < stop:
            left, right = ends.get(edge, _GAP), starts.get(stop, _GAP)
            taker = left if need.get(left) else right
            if not need.get(taker):
                taker = max(need, key=lambda owner: need[owner])
            taken = min(need[taker], stop - edge)
            dealt.append(Slot(edge, edge + taken, taker))
            need[taker] -= taken
            edge += taken
            ends[edge] = taker
    return dealt


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
