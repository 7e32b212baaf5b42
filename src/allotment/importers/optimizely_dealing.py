"""How Optimizely deals: each bucket belongs to what has the first end above it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from allotment.importers.optimizely_payload import OptGroup, OptTraffic
from allotment.importers.payload import usable_key
from allotment.importers.rules import Imported, Reserved, Rule, whole
from allotment.model.profile import PROFILES, Draw
from allotment.model.slots import Range, Slot, join

PROFILE = "optimizely-1"
BUCKETS = PROFILES[PROFILE].count(1)


def dealt(key: str, salt: str, traffic: Iterable[OptTraffic], owners: Mapping[str, str]) -> Rule:
    """A rule that deals variations; `owners` are their keys by their ids there."""
    slots = tuple(
        Slot(start, stop, owners[entity])
        for start, stop, entity in _ranges(traffic)
        if entity in owners
    )
    if len(slots) == 1 and slots == whole(slots[0].owner, BUCKETS):
        return Rule(key, whole(slots[0].owner))
    return Rule(key, slots, Draw(PROFILE, salt), BUCKETS)


def reserved(imported: Imported, group: OptGroup, identity: str, path: str) -> Reserved:
    """The part of a group that an experiment has; the group is added as a layer."""
    ranges = join(
        Range(start, stop)
        for start, stop, entity in _ranges(group.traffic_allocation)
        if entity == identity
    )
    key = usable_key(f"group-{group.id}", path)
    if ranges and key not in imported.layers:
        imported.add_layer(key, Draw(PROFILE, group.id), "user")
    return Reserved(key, ranges)


def _ranges(traffic: Iterable[OptTraffic]) -> Iterator[tuple[int, int, str]]:
    start = 0
    for each in traffic:
        stop = min(each.end_of_range, BUCKETS)
        if start < stop:
            yield start, stop, each.entity_id
            start = stop
