"""The treatments of an instance: a variant of its flag each, with weights for everyone.

An experiment that was made elsewhere may have several allocations: only those weights are written
that are shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from allotment.change.commands import Command, SetAllocations, SetTreatments, SetWeights
from allotment.dialects.confidence.arms import Arms, notes_of
from allotment.dialects.confidence.names import flag_of, variant_name
from allotment.dialects.confidence.weights import first_asked, shown_weights
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment

_EVERYONE: Final = "everyone"


def show_treatments(experiment: Experiment, catalog: Catalog) -> list[Tree]:
    """The treatments as this API spells them."""
    flag = flag_of(experiment, catalog)
    weights, notes = shown_weights(experiment.current), notes_of(experiment)
    shown: list[Tree] = []
    for one in experiment.current.treatments:
        item: dict[str, Tree] = {"name": one.key}
        for key, variation in one.sets:
            if key == flag:
                item["variant"] = variant_name(key, variation)
        if one.name:
            item["displayName"] = one.name
        shown.append({**item, **notes.get(one.key, {}), "weight": weights[one.key]})
    return shown


def allocations_of(arms: Arms) -> tuple[Allocation, ...]:
    """The allocations of a new experiment: one, for everyone, where there is a treatment."""
    return (Allocation(_EVERYONE, arms.weights, arms.total),) if arms.treatments else ()


def write_treatments(arms: Arms, experiment: Experiment) -> Iterator[Command]:
    """The commands that lead from the experiment's treatments and weights to these."""
    current, first = experiment.current, first_asked(experiment.current)
    keys = {one.key for one in arms.treatments}
    if arms.treatments != current.treatments:
        control = current.control if current.control in keys else arms.control
        yield SetTreatments(experiment.key, arms.treatments, control)
    if first is None or not arms.treatments:
        if first is not None or arms.treatments:
            yield SetAllocations(experiment.key, allocations_of(arms))
    elif keys != {one.key for one in current.treatments}:
        anew = replace(first, weights=arms.weights, total=arms.total, slots=())
        others = {one.key: _among(one, keys) for one in current.allocations if one is not first}
        allocations = (anew if one is first else others[one.key] for one in current.allocations)
        yield SetAllocations(experiment.key, tuple(allocations))
    elif {**dict.fromkeys(keys, 0), **dict(first.weights)} != dict(arms.weights):
        yield SetWeights(experiment.key, first.key, arms.weights, arms.total)


def _among(allocation: Allocation, keys: set[str]) -> Allocation:
    weights = tuple(weight for weight in allocation.weights if weight[0] in keys)
    return replace(allocation, weights=weights, slots=())
