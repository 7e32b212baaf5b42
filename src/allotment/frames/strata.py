"""Which allocation dealt a treatment: experiments whose answers tell it.

A sample-ratio check holds counts against the slots of one allocation, but an answer names only a
treatment. So the check assigns under a catalog where every (allocation, treatment) is a treatment
of its own: a stratum. Draws, checks and slots are the same, hence so is every outcome.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, Treatment
from allotment.model.limits import TREATMENTS_MAX


@dataclass(frozen=True, slots=True)
class Strata:
    """How the codes of a stratified experiment read.

    treatments  the experiment's own treatments
    back        int16: the code of a stratum to the code of its treatment; the last stands for -1
    parts       allocation key to (code of a stratum, buckets it owns), in the order of treatments
    """

    treatments: tuple[str, ...]
    back: npt.NDArray[np.int16]
    parts: dict[str, list[tuple[int, int]]]


def stratified(catalog: Catalog, experiments: list[str]) -> tuple[Catalog, dict[str, Strata]]:
    """The catalog with these experiments stratified, and how to read each one's codes.

    An experiment with too many strata for the kernel stays as it is, without parts.
    """
    strata: dict[str, Strata] = {}
    changes: dict[str, Experiment | None] = {}
    for key in experiments:
        experiment = catalog.experiments[key]
        changed, strata[key] = _stratify(experiment.current)
        changes[key] = replace(
            experiment,
            iterations=tuple(
                changed if i is experiment.current else i for i in experiment.iterations
            ),
        )
    return replace(catalog, experiments=catalog.experiments.change(changes)), strata


def _stratify(iteration: Iteration) -> tuple[Iteration, Strata]:
    names = tuple(treatment.key for treatment in iteration.treatments)
    treatments = list(iteration.treatments)  # an override still gives one of these
    back = list(range(len(names)))
    parts: dict[str, list[tuple[int, int]]] = {}
    allocations: list[Allocation] = []
    for allocation in iteration.allocations:
        stratum = {name: f"{allocation.key}/{name}" for name in names}
        owned = dict.fromkeys(names, 0)
        for slot in allocation.slots:
            owned[slot.owner] += slot.stop - slot.start
        parts[allocation.key] = [(len(treatments) + i, owned[n]) for i, n in enumerate(names)]
        treatments += [Treatment(stratum[name]) for name in names]
        back += range(len(names))
        slots = tuple(slot._replace(owner=stratum[slot.owner]) for slot in allocation.slots)
        allocations.append(replace(allocation, slots=slots))
    if len(treatments) > TREATMENTS_MAX:
        return iteration, Strata(names, _codes(range(len(names))), {})
    changed = replace(iteration, treatments=tuple(treatments), allocations=tuple(allocations))
    return changed, Strata(names, _codes(back), parts)


def _codes(back: list[int] | range) -> npt.NDArray[np.int16]:
    return np.array([*back, -1], np.int16)
