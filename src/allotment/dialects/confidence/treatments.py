"""The treatments of an instance: a variant of its flag each, with weights for everyone.

An experiment that was made elsewhere may have several allocations: only those weights are written
that are shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from math import lcm
from typing import Final, NamedTuple, TypeAlias

from allotment.change.commands import Command, SetAllocations, SetTreatments, SetWeights
from allotment.dialects.confidence.modules import ConfidenceTreatment
from allotment.dialects.confidence.names import NOTES, Values, read_variant, variant_name
from allotment.dialects.wire.listed import flag_of
from allotment.dialects.wire.notes import without_wrong
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.spelling import slug
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, Treatment
from allotment.model.flag import Flag
from allotment.model.limits import NAME_CHARACTERS_MAX
from allotment.model.number import to_parts
from allotment.model.stage import profile_of

PARTS: Final = 10_000

_HUNDRED: Final = Decimal(100)
_PERCENT: Final = Decimal(PARTS) / _HUNDRED

# (treatment, parts), as an allocation has them.
Weights: TypeAlias = tuple[tuple[str, int], ...]

# Where what this API has of each treatment and the model lacks is kept.
TREATMENTS: Final = "treatments"

_PATH: Final = "$.abtest.treatments"
_EVERYONE: Final = "everyone"
_NOTED: Final = ("description", "imageUri", "name")

_Items = Sequence[ConfidenceTreatment]
_Variant = tuple[Flag, str] | None


class Arms(NamedTuple):
    """The treatments and weights of a new iteration, the flag whose variants they are, and notes.

    The control is the treatment that sets the flag's default, else the first.
    """

    iteration: Iteration
    flag: Flag | None
    notes: Tree


def show_treatments(experiment: Experiment, catalog: Catalog) -> list[ConfidenceTreatment]:
    """The treatments as this API shows them."""
    flag, notes = flag_of(experiment, catalog), _notes_of(experiment)
    weights = shown_weights(experiment.current)
    shown = []
    for one in experiment.current.treatments:
        note = notes.get(one.key, ConfidenceTreatment())
        variation = dict(one.sets).get(flag or "")
        said = {
            "name": one.key if note.name is None else note.name,
            "variant": variant_name(flag, variation) if flag and variation else None,
            "displayName": one.name or note.displayName,
            "weight": weights[one.key],
        }
        shown.append(note.model_copy(update=said))
    return shown


def read_treatments(items: _Items, old: Experiment | None, catalog: Catalog) -> Arms:
    """The treatments of a list.

    One of the `old` experiment that is meant again keeps its key, so that no unit moves but those
    that have to, and its exact weight where the list has it as it is shown.
    """
    variants = [
        read_variant(item.variant, f"{_PATH}[{n}].variant", catalog) if item.variant else None
        for n, item in enumerate(items)
    ]
    flags = {one[0].key: one[0] for one in variants if one is not None}
    if len(flags) > 1:
        message = "the variants of an instance belong to one flag; these do not"
        raise InvalidInput(message, _PATH)
    keys = _keys(items, variants, old)
    was = {one.key: one for one in (old.current.treatments if old else ())}
    shown = flag_of(old, catalog) if old else None
    treatments = tuple(
        Treatment(key, item.displayName or "", _sets(was.get(key), variant, shown))
        for item, variant, key in zip(items, variants, keys, strict=True)
    )
    asked = [(key, item.weight or 0) for item, key in zip(items, keys, strict=True)]
    weights, total = exact(asked, old.current if old else None)
    notes: Values = {key: _note(item, key) for item, key in zip(items, keys, strict=True)}
    left: Values = {key: note for key, note in notes.items() if note}
    flag = next(iter(flags.values()), None)
    usual = (flag.key, flag.default) if flag else None
    control = next((one.key for one in treatments if usual in one.sets), keys[0] if keys else None)
    everyone = (Allocation(_EVERYONE, weights, total),) if treatments else ()
    return Arms(Iteration(1, treatments, everyone, control=control), flag, left or None)


def write_treatments(arms: Arms, experiment: Experiment) -> Iterator[Command]:
    """The commands that lead from the experiment's treatments and weights to these."""
    key, current, first = experiment.key, experiment.current, first_asked(experiment.current)
    wanted = arms.iteration
    keys = {one.key for one in wanted.treatments}
    asked = first_asked(wanted)
    if wanted.treatments != current.treatments:
        control = current.control if current.control in keys else wanted.control
        yield SetTreatments(key, wanted.treatments, control)
    if first is None or asked is None:
        if first is not asked:
            yield SetAllocations(key, wanted.allocations)
    elif keys != {one.key for one in current.treatments}:
        new = replace(first, weights=asked.weights, total=asked.total, slots=())
        others = {one.key: _among(one, keys) for one in current.allocations if one is not first}
        allocations = (new if one is first else others[one.key] for one in current.allocations)
        yield SetAllocations(key, tuple(allocations))
    elif {**dict.fromkeys(keys, 0), **dict(first.weights)} != dict(asked.weights):
        yield SetWeights(key, first.key, asked.weights, asked.total)
    if arms.notes != NOTES.kept(experiment, TREATMENTS):
        yield NOTES.keep("experiment", key, TREATMENTS, arms.notes)


def _notes_of(experiment: Experiment) -> dict[str, ConfidenceTreatment]:
    """What is kept of each treatment, by its key."""
    found = NOTES.kept(experiment, TREATMENTS)
    notes = found.items() if isinstance(found, dict) else ()
    return {
        key: without_wrong(ConfidenceTreatment, {n: v for n, v in note.items() if n in _NOTED})
        for key, note in notes
        if isinstance(note, dict)
    }


def _note(item: ConfidenceTreatment, key: str) -> Values:
    said = item.model_dump(include=set(_NOTED))
    return {name: text for name, text in said.items() if (name, text) != ("name", key)}


def _sets(
    old: Treatment | None, variant: _Variant, shown: str | None
) -> tuple[tuple[str, str], ...]:
    """What a treatment sets; of what it sets besides the shown flag, nothing goes."""
    others = dict(old.sets) if old is not None else {}
    if variant is None:
        return tuple(others.items()) if shown not in others else ()
    flag, key = variant[0].key, variant[1]
    return tuple(sorted({**others, flag: key}.items())) if flag in others else ((flag, key),)


def _keys(items: _Items, variants: Sequence[_Variant], old: Experiment | None) -> list[str]:
    """A key an item: of the old treatment that has its name, else its variant, else a new one."""
    there = old.current.treatments if old else ()
    notes = _notes_of(old) if old else {}
    names = {one.key: notes[one.key].name if one.key in notes else None for one in there}
    found: dict[int, str] = {}

    def take(index: int, keys: Iterable[str]) -> None:
        for key in keys:
            if index not in found and key not in found.values():
                found[index] = key

    for index, item in enumerate(items):
        take(index, (key for key, name in names.items() if item.name == (name or key)))
    for index, variant in enumerate(variants):
        if variant is not None:
            sets = (variant[0].key, variant[1])
            take(index, (one.key for one in there if sets in one.sets))
    for index, (item, variant) in enumerate(zip(items, variants, strict=True)):
        if index not in found:
            text = item.name or (variant[1] if variant else "")
            if len(text) > NAME_CHARACTERS_MAX:
                message = f"at most {NAME_CHARACTERS_MAX:,} characters belong here"
                raise InvalidInput(message, f"{_PATH}[{index}].name")
            taken = {*found.values(), *names}
            found[index] = slug(text, taken.__contains__, "treatment")
    return [found[index] for index in range(len(items))]


def _among(allocation: Allocation, keys: set[str]) -> Allocation:
    weights = tuple(weight for weight in allocation.weights if weight[0] in keys)
    return replace(allocation, weights=weights, slots=())


def first_asked(iteration: Iteration) -> Allocation | None:
    """The allocation whose weights this API shows: the first that is asked, the fallback last."""
    return min(
        iteration.allocations, key=lambda one: (one.fallback, one.priority, one.key), default=None
    )


def shown_weights(iteration: Iteration) -> dict[str, int]:
    """Each treatment's weight in parts of 10,000, the nearest where it is no whole number."""
    allocation = first_asked(iteration)
    parts = dict(allocation.weights) if allocation else {}
    total = allocation.total if allocation else PARTS
    return {
        one.key: (parts.get(one.key, 0) * 2 * PARTS + total) // (2 * total)
        for one in iteration.treatments
    }


def exact(asked: Sequence[tuple[str, int]], old: Iteration | None) -> tuple[Weights, int]:
    """The weights as parts of one total; who is asked as it is shown keeps its exact one.

    The total is the least that will do, as it is for percentages: 3,000 of 10,000 is 30 of 100.
    """
    allocation = first_asked(old) if old else None
    # The total may be how many buckets there are.
    counts = old is not None and profile_of(old).buckets is None
    if old is None or allocation is None:
        return (tuple(asked), PARTS) if counts else _least(asked)
    was, shown, there = dict(allocation.weights), shown_weights(old), allocation.total
    same = {key for key, weight in asked if shown.get(key) == weight}
    if len(same) == len(asked):
        return tuple((key, was.get(key, 0)) for key, _ in asked), there
    if counts:
        return tuple(
            (k, was.get(k, 0) if k in same else _buckets(w, there)) for k, w in asked
        ), there
    if not same or PARTS % there == 0:
        return _least(asked)
    total = lcm(there, PARTS)
    weights = (
        (key, was.get(key, 0) * total // there if key in same else weight * total // PARTS)
        for key, weight in asked
    )
    return tuple(weights), total


def _buckets(weight: int, total: int) -> int:
    """How many of the buckets a weight is, where it is a whole number of them."""
    buckets, rest = divmod(weight * total, PARTS)
    if rest:
        message = (
            f"it has {total:,} buckets, and {weight:,} of {PARTS:,} is no whole number of them"
        )
        raise InvalidInput(message, _PATH)
    return buckets


def _least(asked: Sequence[tuple[str, int]]) -> tuple[Weights, int]:
    parts, total = to_parts([Decimal(weight) / _PERCENT for _, weight in asked], _HUNDRED)
    return tuple((key, part) for (key, _), part in zip(asked, parts, strict=True)), total
