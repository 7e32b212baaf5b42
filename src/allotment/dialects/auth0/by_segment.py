"""The segment strategy: the first item whose segment matches gives everyone its variation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from allotment.dialects.auth0.ids import ID_MAX, find_segment
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.refusal import Refusal
from allotment.dialects.wire.slug import numbered
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Iteration, Treatment

# Clients may read it as a 32-bit number.
_PRIORITY_MAX: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whom an item is for: a segment, or None where it is the fallback; and its priority."""

    place: Place
    segment: str | None
    priority: int | None


def read_by_segment(
    items: Sequence[Place],
    treatments: Sequence[Treatment],
    catalog: Catalog,
    old: Iteration | None,
) -> tuple[tuple[Allocation, ...], int | None]:
    """An allocation an item, under the old one's key where one serves the same segment; and the
    priority that was given to the fallback."""
    asked = [_read(item, catalog) for item in items]
    fallbacks = [one for one in asked if one.segment is None]
    if len(fallbacks) > 1:
        raise fallbacks[1].place.at("is_fallback").refusal("there is at most one fallback")
    priorities = _priorities(asked)
    keys: set[str] = set()
    allocations: list[Allocation] = []
    for one, priority, treatment in zip(asked, priorities, treatments, strict=True):
        again = next((key for key in _serving(one.segment, old) if key not in keys), None)
        key = again or numbered(one.segment or "fallback", keys.__contains__)
        keys.add(key)
        fallback = one.segment is None
        weights = ((treatment.key, 1),)
        allocations.append(Allocation(key, weights, 1, one.segment, priority, fallback))
    return tuple(allocations), fallbacks[0].priority if fallbacks else None


def _read(item: Place, catalog: Catalog) -> _Asked:
    if item.at("weight").given:
        raise item.at("weight").refusal("this has no meaning in the segment strategy")
    priority, place = item.at("priority"), item.at("segment_id")
    asked = priority.whole(1, _PRIORITY_MAX) if priority.given else None
    if item.at("is_fallback").given and item.at("is_fallback").truth():
        if place.given:
            raise place.refusal("the fallback serves everyone; it has no segment")
        return _Asked(item, None, asked)
    if not place.given:
        raise place.refusal("an allocation names a segment, or is the fallback")
    segment = find_segment(catalog, place.text(1, ID_MAX))
    if segment is None:
        raise Refusal(400, "segment_not_found", "Segment not found", place.path)
    return _Asked(item, segment.key, asked)


def _priorities(asked: Sequence[_Asked]) -> Iterator[int]:
    """Each item's priority: as given, else after all that are given, in the order of the items."""
    given: set[int] = set()
    for one in asked:
        if one.segment is not None and one.priority is not None:
            if one.priority in given:
                raise one.place.at("priority").refusal("another allocation has this priority")
            given.add(one.priority)
    free = max(given, default=0)
    for one in asked:
        if one.segment is None:
            yield 0
        elif one.priority is not None:
            yield one.priority
        else:
            free += 1
            yield free


def _serving(segment: str | None, old: Iteration | None) -> Iterator[str]:
    """The keys of the old allocations for the segment; of the old fallback for None."""
    for one in old.allocations if old else ():
        if one.segment == segment and one.fallback is (segment is None):
            yield one.key
