"""What a change affects: experiments to compile again, flags, and the units that move."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any, Final, TypeVar

from allotment.change.kinds import KINDS, nouns_of
from allotment.change.proposal import same
from allotment.change.reallocate import moved, pairs
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration
from allotment.model.flag import Flag
from allotment.model.layer import Holdout
from allotment.model.limits import BUCKETS
from allotment.model.segment import Sample, Segment
from allotment.model.stage import layer_draw, profile_of, sample_of, treatment_draw

N = TypeVar("N", Flag | None, Holdout | None)


@dataclass(frozen=True, slots=True)
class Move:
    """How much of an allocation changes treatment, in parts per million of the treatment draw."""

    experiment: str
    allocation: str
    moved_ppm: int


@dataclass(frozen=True, slots=True)
class Change:
    """What commands made of a catalog.

    catalog   the new one; the very same object where nothing changed
    touched   keys of the experiments to compile again, deleted ones included
    flags     keys of the flags whose resolving changed, deleted ones included
    moves     for each allocation of a live iteration, how many of its units change treatment
    """

    catalog: Catalog
    touched: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    moves: tuple[Move, ...] = ()


def touched_between(old: Catalog, new: Catalog) -> tuple[frozenset[str], frozenset[str]]:
    """The experiments and the flags that differ between two catalogs of one space.

    They are what `Change.touched` and `Change.flags` say, for a follower that saw no change, or
    missed some: what the catalogs share is not looked at.
    """
    changed = list(_changed(old, new))
    return touched_experiments(old, new, changed), touched_flags(old, new, changed)


def _changed(old: Catalog, new: Catalog) -> Iterator[tuple[str, str]]:
    for kind in KINDS:
        for key, was, now in nouns_of(old, kind).differing(nouns_of(new, kind)):
            if not same(was, now):
                yield kind, key


def touched_experiments(
    old: Catalog, new: Catalog, changed: Iterable[tuple[str, str]]
) -> frozenset[str]:
    """The experiments whose plans may differ. A name or a description decides nothing."""
    touched: set[str] = set()
    for kind, key in changed:
        if kind == "experiment":
            touched.update(_by_experiment(key, old, new))
        elif kind == "segment":
            touched |= _by_segment(key, old, new)
        elif kind == "holdout":
            if _unlabelled(old.holdouts.get(key)) != _unlabelled(new.holdouts.get(key)):
                touched.update(_users(f"holdout:{key}", old, new))
        elif kind == "layer":
            touched.update(_by_layer(key, old, new))
        elif kind == "flag":
            touched.update(_by_flag(key, old, new))
    return frozenset(touched)


def touched_flags(old: Catalog, new: Catalog, changed: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The flags that resolve otherwise, by what they are themselves."""
    return frozenset(
        key
        for kind, key in changed
        if kind == "flag" and _unlabelled(old.flags.get(key)) != _unlabelled(new.flags.get(key))
    )


def moves(old: Catalog, new: Catalog, changed: Iterable[tuple[str, str]]) -> tuple[Move, ...]:
    """The allocations of live iterations whose slots moved, sorted by experiment.

    An allocation under a new key is compared with the one that served the same units. One that
    comes or goes moves what its slots hold. Starting over with another salt
    draws everyone afresh, which moves all.
    """
    found: list[Move] = []
    for kind, key in sorted(changed):
        was, now = old.experiments.get(key), new.experiments.get(key)
        if kind != "experiment" or was is None or now is None:
            continue
        before, after = was.live, now.live
        if before is not None and after is not None and before is not after:
            found.extend(_moves(key, before, after))
    return tuple(found)


def _moves(key: str, before: Iteration, after: Iteration) -> Iterator[Move]:
    afresh = treatment_draw(before) != treatment_draw(after)
    for was, now in pairs(before.allocations, after.allocations):
        name = now.key if now else was.key if was else ""
        if afresh:
            yield Move(key, name, BUCKETS)
            continue
        slots = was.slots if was else (), now.slots if now else ()
        buckets = profile_of(after).count(now.total if now else was.total if was else 1)
        count = moved(*slots, buckets) if slots[0] != slots[1] else 0
        if count:
            # Rounded up: what moves is never shown as nothing.
            yield Move(key, name, -(-count * BUCKETS // buckets))


def _by_experiment(key: str, old: Catalog, new: Catalog) -> set[str]:
    before, after = old.experiments.get(key), new.experiments.get(key)
    if _differ_by_label(before, after):
        return set()
    touched = {key}
    # A unit overridden here is kept out of those that the experiment excludes.
    was, now = _claims(before, old), _claims(after, new)
    if was != now:
        for layer in {was[0], now[0]} - {None}:
            touched |= _users(f"layer:{layer}", old, new)
    return touched


def _claims(
    experiment: Experiment | None, catalog: Catalog
) -> tuple[str | None, Sample | None, str, frozenset[str]]:
    """What decides of whom the experiment keeps which units out: its layer, and the units."""
    if experiment is None or experiment.archived or not experiment.overrides:
        return None, None, "", frozenset()
    sample = None if experiment.layer is not None else sample_of(experiment, catalog)
    layer = experiment.layer if sample is None else sample.layer
    units = frozenset(unit for unit, _ in experiment.overrides)
    return layer, sample, experiment.unit, units


def _by_segment(key: str, old: Catalog, new: Catalog) -> set[str]:
    before, after = old.segments.get(key), new.segments.get(key)
    if _same_segment(before, after):
        return set()
    touched = _users(f"segment:{key}", old, new)
    # With another sample, the units overridden in its experiments are kept out of others.
    samples = [segment and segment.sample for segment in (before, after)]
    if samples[0] != samples[1] and _any_overrides(touched, old, new):
        for sample in samples:
            if sample is not None and sample.layer is not None:
                touched |= _users(f"layer:{sample.layer}", old, new)
    return touched


def _any_overrides(keys: Iterable[str], *catalogs: Catalog) -> bool:
    found = (catalog.experiments.get(key) for key in keys for catalog in catalogs)
    return any(experiment.overrides for experiment in found if experiment)


def _differ_by_label(one: Experiment | None, other: Experiment | None) -> bool:
    """Whether they differ in labels alone, or in when their iterations ran."""
    if one is None or other is None or _DECIDES(one) != _DECIDES(other):
        return False
    was, now = one.iterations, other.iterations
    return len(was) == len(now) and all(
        before is after or _DEALS(before) == _DEALS(after)
        for before, after in zip(was, now, strict=True)
    )


def _but(noun: type, *names: str) -> Callable[[Any], tuple[object, ...]]:
    """What reads all fields of a noun but these."""
    return attrgetter(*(field.name for field in fields(noun) if field.name not in names))


_LABELS: Final = ("name", "description", "kept")
_DECIDES: Final = _but(Experiment, "iterations", *_LABELS)
_DEALS: Final = _but(Iteration, "started_at", "ended_at")


def _same_segment(one: Segment | None, other: Segment | None) -> bool:
    if one is None or other is None:
        return False
    if one.sample != other.sample:
        return False
    lists = (one.unit, one.include, one.exclude) == (other.unit, other.include, other.exclude)
    # By text, as 1, 1.0 and true are equal values but other clauses.
    return lists and repr(one.rules) == repr(other.rules)


def _by_layer(key: str, old: Catalog, new: Catalog) -> set[str]:
    one, other = old.layers.get(key), new.layers.get(key)
    if one is None or other is None:
        return _users(f"layer:{key}", old, new)
    if layer_draw(one) != layer_draw(other) or one.unit != other.unit:
        return _users(f"layer:{key}", old, new)
    return {item.experiment for item in set(one.reservations) ^ set(other.reservations)}


def _by_flag(key: str, old: Catalog, new: Catalog) -> set[str]:
    """A plan knows of a flag whether it is on, and who lists it."""
    one, other = old.flags.get(key), new.flags.get(key)
    if one is None or other is None or one.state is not other.state:
        return _users(f"flag:{key}", old, new)
    return {item.experiment for item in set(one.experiments) ^ set(other.experiments)}


def _unlabelled(noun: N) -> N:
    """The noun without what decides nothing, where there is one."""
    return noun and replace(noun, name="", description="", kept=())


def _users(name: str, old: Catalog, new: Catalog) -> set[str]:
    return set(old.users.get(name, ())) | set(new.users.get(name, ()))
