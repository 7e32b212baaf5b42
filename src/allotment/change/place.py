"""Where a noun stands: the paths that errors carry, in the shape of the catalog file."""

from __future__ import annotations

from allotment.model.experiment import Experiment, Iteration


def place(kind: str, key: str) -> str:
    """The path of a noun: `$.flags.checkout`."""
    return f"$.{kind}s.{key}"


def iteration_place(experiment: Experiment, iteration: Iteration) -> str:
    """The path of an iteration: the experiment's own for the current one, else its place among the
    others: `$.experiments.checkout.iterations[0]`."""
    path = place("experiment", experiment.key)
    current = experiment.current
    if iteration is current:
        return path
    others = [other for other in experiment.iterations if other is not current]
    index = next(i for i, other in enumerate(others) if other is iteration)
    return f"{path}.iterations[{index}]"
