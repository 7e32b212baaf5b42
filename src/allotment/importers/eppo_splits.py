"""Eppo's splits to rules.

A split takes a unit that is in the ranges of each of its shards; the first that does wins. One
shard a split deals treatments by slots; those that all splits share are an enrolment, where they
are the first shards, or the reservation in a layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from allotment.importers.payload import PayloadPart, refuse, usable_key
from allotment.importers.rules import Imported, Reserved, Rule, whole
from allotment.model.limits import BUCKETS
from allotment.model.profile import Draw
from allotment.model.segment import Condition
from allotment.model.slots import Range, Ranges, Slot, intersect, join, subtract

SHARDS: Final = 10_000
_PROFILE: Final = "eppo-1"
_ALL: Final[Ranges] = (Range(0, SHARDS),)

Shards: TypeAlias = dict[str, Ranges]  # by salt; a salt that takes every unit is not there


class Between(PayloadPart, frozen=True):
    """Shards from `start` to below `end`."""

    start: int
    end: int


class Shard(PayloadPart, frozen=True):
    """The shards of one salt that are in."""

    salt: str
    ranges: list[Between]


class Split(PayloadPart, frozen=True):
    """One variation, and the shards it is for."""

    variation_key: str
    shards: list[Shard]
    extra_logging: dict[str, str] | None = None


def dealt(
    key: str, splits: Sequence[Split], audience: Condition | None, path: str
) -> Iterator[Rule]:
    """The rules that an allocation becomes: one, or one a split where they share too little.

    Raises LeftOut where a split draws by more salts than an experiment does.
    """
    found = [(one.variation_key, _shards(one, f"{path}[{i}]")) for i, one in enumerate(splits)]
    found = [(variation, shards) for variation, shards in found if all(shards.values())]
    if not found:
        return
    shared = {salt: r for salt, r in found[0][1].items() if _is_shared(salt, r, found)}
    own = {salt for _, shards in found for salt in shards if salt not in shared}
    if len(own) <= 1:
        yield _rule(key, found, shared, next(iter(own), None), audience, path)
        return
    for index, (variation, shards) in enumerate(found):
        name = usable_key(f"{key}.{index + 1}", path)
        yield _rule(name, [(variation, shards)], shards, None, audience, path)


def _is_shared(salt: str, ranges: Ranges, found: Sequence[tuple[str, Shards]]) -> bool:
    return all(shards.get(salt) == ranges for _, shards in found)


def _shards(split: Split, path: str) -> Shards:
    """The ranges of each salt; one that occurs twice takes what both take."""
    taken: Shards = {}
    for index, shard in enumerate(split.shards):
        if not shard.salt:
            refuse(f"{path}.shards[{index}].salt", "an empty salt is none here")
        ranges = join(
            Range(max(one.start, 0), min(one.end, SHARDS))
            for one in shard.ranges
            if max(one.start, 0) < min(one.end, SHARDS)
        )
        taken[shard.salt] = intersect(taken.get(shard.salt, _ALL), ranges)
    return {salt: ranges for salt, ranges in taken.items() if ranges != _ALL}


def _rule(  # noqa: PLR0913, PLR0917  # what one rule is made of
    key: str,
    found: Sequence[tuple[str, Shards]],
    shared: Mapping[str, Ranges],
    salt: str | None,
    audience: Condition | None,
    path: str,
) -> Rule:
    """One rule: `salt` deals the treatments; those that are `shared` say who takes part."""
    left = dict(shared)
    if salt is None and left:  # one variation for all: any salt may deal it
        salt = next((one for one in left if not _is_first(left[one])), next(iter(left)))
        found = [(found[0][0], {salt: left.pop(salt)})]
    first = next((one for one in left if _is_first(left[one])), None)
    enrolment = None
    if first is not None:
        share = left.pop(first)[0].stop * (BUCKETS // SHARDS)
        enrolment = share, Draw(_PROFILE, first)
    reserved = None
    if left:
        layer = next(iter(left))
        reserved = Reserved(usable_key(layer, path), left.pop(layer))
    if left:
        message = "an experiment draws by an enrolment, a layer and its treatments, not by more"
        refuse(path, message)
    rule = Rule(key, whole(found[0][0]), audience=audience, enrolment=enrolment, reserved=reserved)
    if salt is None:
        return rule
    return replace(rule, slots=_slots(found, salt), draw=Draw(_PROFILE, salt), buckets=SHARDS)


def _is_first(ranges: Ranges) -> bool:
    return len(ranges) == 1 and ranges[0].start == 0


def _slots(found: Sequence[tuple[str, Shards]], salt: str) -> tuple[Slot, ...]:
    """Who owns which shard: the first split that names it."""
    free = _ALL
    slots: list[Slot] = []
    for variation, shards in found:
        own = intersect(free, shards.get(salt, _ALL))
        slots.extend(Slot(*each, variation) for each in own)
        free = subtract(free, [own])
    return tuple(sorted(slots))


def make_layers(imported: Imported, rules: Sequence[Rule]) -> None:
    """Add the layers that rules reserve in."""
    for rule in rules:
        if rule.reserved is not None and rule.reserved.layer not in imported.layers:
            imported.add_layer(rule.reserved.layer, Draw(_PROFILE, rule.reserved.layer), "user")
