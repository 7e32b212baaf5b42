"""The flags of an experiment: whose variations it gives, and those that list it."""

from __future__ import annotations

from allotment.change.commands import Command, Delete, OrderExperiments, SetVariations
from allotment.change.references import answering
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.flag import Flag, FlagExperiment, Variation


def enlist(key: str, flag: str, catalog: Catalog) -> OrderExperiments:
    """The command that lists an experiment with a flag, after those that are there."""
    return OrderExperiments(flag, (*catalog.flags[flag].experiments, FlagExperiment(key)))


def unlist(key: str, flag: str, catalog: Catalog) -> OrderExperiments:
    """The command that takes an experiment from a flag's list."""
    listed = catalog.flags[flag].experiments
    return OrderExperiments(flag, tuple(one for one in listed if one.experiment != key))


def flags_that_list(key: str, catalog: Catalog) -> list[str]:
    """The flags that list an experiment."""
    return sorted(catalog.users.get(f"experiment:{key}", frozenset()))


def flag_of(experiment: Experiment, catalog: Catalog) -> str | None:
    """The key of an experiment's one flag: what its treatments set, else the flag that lists it."""
    for treatment in experiment.current.treatments:
        for flag, _ in treatment.sets:
            return flag
    return min(flags_that_list(experiment.key, catalog), default=None)


def gives(flag: str, variation: str, catalog: Catalog) -> bool:
    """Whether an experiment that is not archived gives the variation of the flag."""
    return any(
        (flag, variation) in treatment.sets
        for key in catalog.users.get(f"flag:{flag}", frozenset())
        for iteration in answering(catalog.experiments[key])
        for treatment in iteration.treatments
    )


def replaced(flag: Flag, old: Variation, new: Variation | None) -> SetVariations:
    """The command that puts a variation in the place of one of the flag's, or none."""
    there = (new if one is old else one for one in flag.variations)
    return SetVariations(flag.key, tuple(one for one in there if one is not None), flag.default)


def remove(key: str, catalog: Catalog) -> list[Command]:
    """The commands that take an experiment from its flags and delete it."""
    left = [unlist(key, flag, catalog) for flag in flags_that_list(key, catalog)]
    return [*left, Delete("experiment", key)]
