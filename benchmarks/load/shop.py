"""The catalog that is asked: a hundred experiments and one more, which sets a flag."""

from __future__ import annotations

from dataclasses import replace

from allotment.change.apply import apply
from allotment.change.commands import Create, OrderExperiments
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Treatment
from allotment.model.flag import Flag, FlagExperiment, Variation
from benchmarks.catalogs import catalog
from benchmarks.load.questions import EXPERIMENTS

FLAG = Flag("button", (Variation("blue", '"#00f"'), Variation("green", '"#0f0"')), "blue")


def shop() -> Catalog:
    plain = catalog(EXPERIMENTS, segments=10)
    return apply(plain, [Create(FLAG), Create(colours(plain)), order()]).catalog


def colours(plain: Catalog) -> Experiment:
    """An experiment like the others, whose treatments set the flag."""
    like = plain.experiments["exp_0"]
    names = {"control": "blue", "blue": "blue", "green": "green"}
    treatments = tuple(
        Treatment(each.key, sets=(("button", names[each.key]),))
        for each in like.iterations[0].treatments
    )
    allocations = tuple(replace(each, slots=()) for each in like.iterations[0].allocations)
    iteration = replace(like.iterations[0], salt="", treatments=treatments, allocations=allocations)
    return replace(like, key="colours", iterations=(iteration,))


def order() -> OrderExperiments:
    return OrderExperiments("button", (FlagExperiment("colours"),))
