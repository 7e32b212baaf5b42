"""The flags of an experiment: whose variations it gives, and those that list it."""

from __future__ import annotations

from allotment.change.commands import Command, Delete, OrderExperiments
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.flag import FlagExperiment


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


def remove(key: str, catalog: Catalog) -> list[Command]:
    """The commands that take an experiment from its flags and delete it."""
    left = [unlist(key, flag, catalog) for flag in flags_that_list(key, catalog)]
    return [*left, Delete("experiment", key)]
