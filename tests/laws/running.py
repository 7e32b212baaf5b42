"""Catalogs made by commands, as every catalog outside the tests is."""

from __future__ import annotations

from collections.abc import Sequence

from allotment.change.apply import apply
from allotment.change.commands import Command, Create, StartIteration
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, Treatment
from allotment.model.limits import BUCKETS

Weights = Sequence[int]


def after(catalog: Catalog, *commands: Command) -> Catalog:
    """The catalog that the commands make."""
    return apply(catalog, commands).catalog


def started(
    key: str, weights: Weights, total: int, *, keeps: bool = False, enrolment_ppm: int = BUCKETS
) -> tuple[Command, ...]:
    """Commands for an experiment with treatments t0, t1, ... and one allocation, "all"; it runs."""
    treatments = tuple(Treatment(name) for name, _ in named(weights))
    dealt = Allocation("all", named(weights), total)
    iteration = Iteration(1, treatments, (dealt,), enrolment_ppm=enrolment_ppm)
    created = Create(Experiment(key, (iteration,), keeps_assignments=keeps))
    return created, StartIteration(key)


def running(
    key: str, weights: Weights, total: int, *, keeps: bool = False, enrolment_ppm: int = BUCKETS
) -> Catalog:
    """A catalog with that experiment."""
    commands = started(key, weights, total, keeps=keeps, enrolment_ppm=enrolment_ppm)
    return after(EMPTY, *commands)


def named(weights: Weights) -> tuple[tuple[str, int], ...]:
    return tuple((f"t{index}", weight) for index, weight in enumerate(weights))
