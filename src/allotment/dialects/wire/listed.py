"""An experiment among those that a flag lists."""

from __future__ import annotations

from allotment.change.commands import Command, Delete, OrderExperiments
from allotment.model.catalog import Catalog
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


def remove(key: str, catalog: Catalog) -> list[Command]:
    """The commands that take an experiment from its flags and delete it."""
    left = [unlist(key, flag, catalog) for flag in flags_that_list(key, catalog)]
    return [*left, Delete("experiment", key)]
