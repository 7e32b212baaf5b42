"""The items of an experiment's allocations: each gives one variation to some devices.

By percentage, all items are one allocation, and each is a treatment with its weight. By segment,
each item is an allocation of its own, with one treatment that gets every device it matches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from allotment.dialects.auth0.errors import OBSTACLES
from allotment.dialects.auth0.ids import find_segment, find_variation
from allotment.dialects.auth0.schema.experiments import Auth0Item
from allotment.dialects.wire.refusal import Refusal
from allotment.dialects.wire.slug import numbered
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Iteration, Treatment
from allotment.model.flag import Flag
from allotment.model.number import to_parts

_HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Dealt:
    """What the items of a request are in the model.

    `controls` are the treatments that claim to be the control: a draft may have none, or several.
    `rank` is the priority that the request gives the fallback, which needs none.
    """

    treatments: tuple[Treatment, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    controls: tuple[str, ...] = ()
    rank: int | None = None

    @property
    def control(self) -> str | None:
        """The control, where one treatment claims to be it."""
        return self.controls[0] if len(self.controls) == 1 else None


def read_items(
    items: Sequence[Auth0Item],
    strategy: str,
    flag: Flag,
    catalog: Catalog,
    old: Iteration | None,
) -> Dealt:
    """The items in the model.

    Treatments and allocations of the `old` iteration that an item matches keep their keys, so that
    units stay where they are.
    """
    treatments = _treatments(items, flag, old)
    marked = zip(items, treatments, strict=True)
    controls = tuple(treatment.key for item, treatment in marked if item.is_control)
    if strategy == "percentage":
        return Dealt(treatments, (_by_weight(items, treatments, old),), controls)
    allocations, rank = _by_segment(items, treatments, catalog, old)
    return Dealt(treatments, allocations, controls, rank)


def _treatments(
    items: Sequence[Auth0Item], flag: Flag, old: Iteration | None
) -> tuple[Treatment, ...]:
    """A treatment an item: the old one that sets its variation, where there is one left."""
    left = list(old.treatments) if old else []
    found: list[Treatment | str] = []
    for index, item in enumerate(items):
        variation = find_variation(flag, item.variation_id)
        if variation is None:
            message = "Variation does not belong to the referenced feature flag"
            code = OBSTACLES["foreign_variation"]
            raise Refusal(400, code, message, _at(index, "variation_id"))
        again = next((one for one in left if (flag.key, variation.key) in one.sets), None)
        if again is not None:
            left.remove(again)
        found.append(again or variation.key)
    keys = {one.key for one in found if isinstance(one, Treatment)}
    treatments: list[Treatment] = []
    for one in found:
        if isinstance(one, str):
            key = numbered(one, keys.__contains__)
            keys.add(key)
            treatments.append(Treatment(key, sets=((flag.key, one),)))
        else:
            treatments.append(one)
    return tuple(treatments)


def _by_weight(
    items: Sequence[Auth0Item], treatments: Sequence[Treatment], old: Iteration | None
) -> Allocation:
    for index, item in enumerate(items):
        for name, value in (("segment_id", item.segment_id), ("priority", item.priority)):
            if value is not None:
                raise _refusal(index, name, "this has no meaning in the percentage strategy")
        if item.is_fallback:
            raise _refusal(index, "is_fallback", "the percentage strategy has no fallback")
    weighted = [
        (treatment.key, item.weight)
        for item, treatment in zip(items, treatments, strict=True)
        if item.weight is not None
    ]
    parts, total = to_parts([weight for _, weight in weighted], _HUNDRED)
    shares = tuple((key, part) for (key, _), part in zip(weighted, parts, strict=True))
    everyone = (one.key for one in (old.allocations if old else ()) if one.segment is None)
    return Allocation(next(everyone, "everyone"), shares, total)


def _by_segment(
    items: Sequence[Auth0Item],
    treatments: Sequence[Treatment],
    catalog: Catalog,
    old: Iteration | None,
) -> tuple[tuple[Allocation, ...], int | None]:
    """An allocation an item, and the priority that was given to the fallback.

    An old allocation for the same segment lends its key.
    """
    segments = [_segment_of(index, item, catalog) for index, item in enumerate(items)]
    fallbacks = [index for index, segment in enumerate(segments) if segment is None]
    if len(fallbacks) > 1:
        raise _refusal(fallbacks[1], "is_fallback", "there is at most one fallback")
    priorities = _priorities([item.priority for item in items], segments)
    keys: set[str] = set()
    allocations: list[Allocation] = []
    for segment, priority, treatment in zip(segments, priorities, treatments, strict=True):
        again = next((key for key in _serving(segment, old) if key not in keys), None)
        key = again or numbered(segment or "fallback", keys.__contains__)
        keys.add(key)
        weights = ((treatment.key, 1),)
        allocations.append(Allocation(key, weights, 1, segment, priority, segment is None))
    return tuple(allocations), items[fallbacks[0]].priority if fallbacks else None


def _segment_of(index: int, item: Auth0Item, catalog: Catalog) -> str | None:
    """The key of the segment that an item is for; None where it is the fallback."""
    if item.weight is not None:
        raise _refusal(index, "weight", "this has no meaning in the segment strategy")
    if item.is_fallback:
        if item.segment_id is not None:
            message = "the fallback serves everyone; it has no segment"
            raise _refusal(index, "segment_id", message)
        return None
    if item.segment_id is None:
        message = "an allocation names a segment, or is the fallback"
        raise _refusal(index, "segment_id", message)
    segment = find_segment(catalog, item.segment_id)
    if segment is None:
        raise Refusal(400, "segment_not_found", "Segment not found", _at(index, "segment_id"))
    return segment.key


def _priorities(asked: Sequence[int | None], segments: Sequence[str | None]) -> Iterator[int]:
    """Each item's priority: as given, else after all that are given, in the order of the items."""
    given: set[int] = set()
    for index, (priority, segment) in enumerate(zip(asked, segments, strict=True)):
        if segment is not None and priority is not None:
            if priority in given:
                raise _refusal(index, "priority", "another allocation has this priority")
            given.add(priority)
    free = max(given, default=0)
    for priority, segment in zip(asked, segments, strict=True):
        if segment is None:
            yield 0
        elif priority is not None:
            yield priority
        else:
            free += 1
            yield free


def _serving(segment: str | None, old: Iteration | None) -> Iterator[str]:
    """The keys of the old allocations for the segment; of the old fallback for None."""
    for one in old.allocations if old else ():
        if one.segment == segment and one.fallback is (segment is None):
            yield one.key


def _at(index: int, field: str) -> str:
    return f"$.allocations[{index}].{field}"


def _refusal(index: int, field: str, message: str) -> InvalidInput:
    return InvalidInput(message, _at(index, field))
