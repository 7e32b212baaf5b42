"""What a new or replaced noun leaves open is filled in here: salts, slots, and the order of lists.

Overrides, what a treatment sets, reservations and weights are sorted, so that equal configurations
are equal values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from allotment.change.check.draw import bound_of, check_profile
from allotment.change.check.iteration import check_weights
from allotment.change.check.label import check_share
from allotment.change.check.segment import check_segment
from allotment.change.commands import Noun
from allotment.change.fields import replaced
from allotment.change.kinds import iteration_path, kind_of, noun_path
from allotment.change.reallocate import Weights, pairs, reallocate
from allotment.errors import Conflict, InvalidChange
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.profile import NATIVE
from allotment.model.segment import Segment
from allotment.model.slots import Ranges, Slots, join, lowest, size, subtract
from allotment.model.stage import profile_of, whole

_Frozen = TypeVar("_Frozen", Experiment, Iteration, Treatment, Allocation)


def _with(noun: _Frozen, **fields: Any) -> _Frozen:
    """`noun` with these fields; itself where it has them, as most nouns have that are laid."""
    for name, value in fields.items():
        if getattr(noun, name) != value:
            return replaced(noun, **fields)
    return noun


def lay_noun(
    noun: Noun,
    old: Noun | None,
    taken: Iterable[Ranges] = (),
    committed: Experiment | None = None,
) -> Noun:
    """The noun complete: what it leaves open is as `old`, which has its key, says, or usual.

    `taken` are the buckets of a layer that no share is laid in. A sample is laid by `samples`.
    `committed` is an experiment before the whole change, where `old` is in the middle of it.
    """
    path = noun_path(kind_of(noun), noun.key)
    noun = _with_kept_sorted(noun)
    if isinstance(noun, Experiment):
        if not noun.iterations:
            raise InvalidChange("an experiment has at least one iteration", path)
        return lay_experiment(noun, old if isinstance(old, Experiment) else None, committed)
    if isinstance(noun, Layer):
        return lay_layer(noun, old if isinstance(old, Layer) else None, path, taken)
    if isinstance(noun, Holdout):
        return lay_holdout(noun, old if isinstance(old, Holdout) else None)
    if isinstance(noun, Segment):
        # Before anything compares it: a condition may be nested too deep to compare.
        check_segment(noun, path)
    return noun


def _with_kept_sorted(noun: Noun) -> Noun:
    ordered = tuple(sorted(noun.kept)) if noun.kept else ()
    return noun if noun.kept == ordered else replace(noun, kept=ordered)


def lay_experiment(
    new: Experiment, old: Experiment | None, committed: Experiment | None = None
) -> Experiment:
    """The experiment with every salt and slot; where it leaves one open, as the old one has it.

    `committed` is the experiment before the whole change, of which `old` may be in the middle.
    """
    known = {iteration.number: iteration for iteration in old.iterations} if old else {}
    laid: list[Iteration] = []
    for iteration in new.iterations:
        base = known.get(iteration.number)
        salted = with_salt(new.key, iteration, base, laid[-1] if laid else None)
        path = iteration_path(new, iteration)
        laid.append(with_slots([*laid, salted], committed or old, path))
    return _with(new, iterations=tuple(laid), overrides=tuple(sorted(new.overrides)))


def with_salt(
    key: str, new: Iteration, base: Iteration | None, before: Iteration | None
) -> Iteration:
    """The iteration with a salt, and with what its treatments set in order.

    `base` is the same iteration as it is, `before` the one before it. A salt that is left open is
    the base's; without one, a reshuffled or first iteration gets `key#number`, any other the salt
    of the one before. With a salt that is taken over come its profile and its draw of enrolment.
    """
    was = base or (None if new.reshuffle else before)
    if not new.salt and was and new.profile == NATIVE:
        new = replace(new, profile=was.profile, enrolment_draw=was.enrolment_draw)
    salt = new.salt or (was.salt if was else f"{key}#{new.number}")
    return _with(new, salt=salt, treatments=lay_treatments(new.treatments))


def with_slots(
    iterations: Sequence[Iteration], committed: Experiment | None, path: str
) -> Iteration:
    """The last of the iterations with slots, where it has started.

    A draft has none: they are laid when it starts, from the slots in use then. Only a draft that
    continues no iteration may say exactly which slots it will have.
    """
    last = iterations[-1]
    if last.state is State.DRAFT and carries_on(iterations):
        bare = tuple(replace(one, slots=()) for one in last.allocations)
        last = replace(last, allocations=bare)
    is_laid = last.state is State.DRAFT or all(one.slots for one in last.allocations)
    slots = {} if is_laid else known_slots(iterations, committed)
    return _with(last, allocations=lay_allocations(last, slots, path))


def carries_on(iterations: Sequence[Iteration]) -> bool:
    """Whether the last of the iterations carries on the one before it."""
    return len(iterations) > 1 and not iterations[-1].reshuffle


def known_slots(iterations: Sequence[Iteration], committed: Experiment | None) -> dict[str, Slots]:
    """By allocation of the last iteration, the slots that its own are reallocated from.

    They are those that units have before the change, in `committed`: the iteration's own, or those
    of the nearest that it carries on. Thus the commands of one change together move no unit that
    need not move, and one that leads back moves none. Where nothing was dealt before the change,
    they are what the change itself has laid so far.
    """
    ran = {one.number: one for one in committed.iterations} if committed else {}
    source: tuple[Allocation, ...] = ()
    for iteration in reversed(iterations):
        was = ran.get(iteration.number)
        if was is not None and was.state is not State.DRAFT:
            source = was.allocations
            break
        if not any(one.slots for one in source) and iteration.state is not State.DRAFT:
            source = iteration.allocations
        if iteration.reshuffle:
            break
    found = pairs(source, iterations[-1].allocations)
    return {now.key: was.slots for was, now in found if was is not None and now is not None}


def lay_treatments(treatments: Iterable[Treatment]) -> tuple[Treatment, ...]:
    """The treatments with what they set sorted by flag."""
    return tuple(
        [one if one.sets == () else _with(one, sets=tuple(sorted(one.sets))) for one in treatments]
    )


def lay_allocations(
    iteration: Iteration, old: Mapping[str, Slots], path: str
) -> tuple[Allocation, ...]:
    """The iteration's allocations with slots; where one leaves them open, reallocated from the old
    ones under its key."""
    return tuple(
        lay_allocation(
            allocation, iteration, old.get(allocation.key, ()), f"{path}.allocations[{index}]"
        )
        for index, allocation in enumerate(iteration.allocations)
    )


def lay_allocation(
    allocation: Allocation, iteration: Iteration, old: Slots, path: str
) -> Allocation:
    """The allocation with its weights in the order of the iteration's treatments, and with slots
    unless it is a draft's."""
    order = order_of(iteration.treatments)
    draft = iteration.state is State.DRAFT
    check_profile(iteration.profile, f"{path}.profile")
    check_weights(allocation, order, f"{path}.weights", draft=draft)
    weights = _sorted(allocation.weights, order)
    slots = allocation.slots
    if not slots and not draft:
        slots = reallocate(old, weights, allocation.total, profile_of(iteration))
    return _with(allocation, weights=weights, slots=slots)


def order_of(treatments: Iterable[Treatment]) -> dict[str, int]:
    """The place of each treatment among the others."""
    return {treatment.key: index for index, treatment in enumerate(treatments)}


def in_order(allocation: Allocation, order: Mapping[str, int]) -> Allocation:
    """The allocation with its weights in the order of the treatments, unknown treatments last."""
    return _with(allocation, weights=_sorted(allocation.weights, order))


def _sorted(weights: Weights, order: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(weights, key=lambda weight: order.get(weight[0], len(order))))


def lay_holdout(new: Holdout, old: Holdout | None) -> Holdout:
    """The holdout with a salt: its own, the old one's, or its key."""
    return replace(new, salt=new.salt or (old.salt if old else new.key))


def lay_layer(new: Layer, old: Layer | None, path: str, taken: Iterable[Ranges]) -> Layer:
    """The layer with a salt as a holdout's, and ranges for reservations that only say a share.

    Exact ranges are set first, then shrinking shares give up what they do not keep, then growing
    ones take what is free, in the order of the experiments.
    """
    check_profile(new.profile, f"{path}.profile")
    known = {r.experiment: r.ranges for r in old.reservations} if old else {}
    ordered = sorted(new.reservations, key=lambda reservation: reservation.experiment)
    ranges = {r.experiment: r.ranges for r in ordered if r.share_ppm is None or r.ranges}
    counts = {
        r.experiment: buckets_of(new, r.share_ppm or 0, f"{path}.reservations.{r.experiment}")
        for r in ordered
        if r.experiment not in ranges
    }
    exact = [*taken, *ranges.values()]
    for key, count in counts.items():
        ranges[key] = lowest(subtract(known.get(key, ()), exact), count)
    free = subtract(whole(profile_of(new)), [*exact, *ranges.values()])
    for key, count in counts.items():
        ranges[key] = lay_count(ranges[key], free, count, f"{path}.reservations.{key}")
        free = subtract(free, [ranges[key]])
    reservations = tuple(Reservation(r.experiment, ranges[r.experiment]) for r in ordered)
    salt = new.salt or (old.salt if old else new.key)
    return replace(new, salt=salt, reservations=reservations)


def buckets_of(layer: Layer, share_ppm: int, path: str) -> int:
    """How many buckets of the layer a share is."""
    check_share(share_ppm, path)
    return bound_of(layer.profile, share_ppm, path)


def lay_count(own: Ranges, free: Ranges, count: int, path: str) -> Ranges:
    """`count` buckets: growing adds free ones, lowest first; shrinking gives up the highest.

    Raises Conflict where too few are free.
    """
    missing = count - size(own)
    if missing <= 0:
        return lowest(own, count)
    if size(free) < missing:
        raise Conflict(
            f"{missing:,} more of the layer's buckets are needed, but only {size(free):,} are "
            "free; let another reservation shrink first",
            path,
        )
    return join([*own, *lowest(free, missing)])
