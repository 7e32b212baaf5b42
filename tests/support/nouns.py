"""Small valid nouns to build examples from."""

from __future__ import annotations

from dataclasses import replace

from allotment.change.apply import apply
from allotment.change.commands import Command, Create
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.flag import Flag, Variation

FLAG = Flag("button", (Variation("blue", '"#00f"'), Variation("green", '"#0f0"')), "blue")
TREATMENTS = (
    Treatment("control", sets=(("button", "blue"),)),
    Treatment("green", sets=(("button", "green"),)),
)
EVERYONE = Allocation("everyone", (("control", 50), ("green", 50)), 100)


def iteration(state: State = State.RUNNING, number: int = 1, **fields: object) -> Iteration:
    """Half control, half green, for everyone."""
    plain = Iteration(number, TREATMENTS, (EVERYONE,), state, control="control")
    return replace(plain, **fields)


def experiment(key: str = "checkout", *iterations: Iteration, **fields: object) -> Experiment:
    """An experiment with one running iteration unless others are given."""
    return replace(Experiment(key, iterations or (iteration(),)), **fields)


def catalog(*nouns: object) -> Catalog:
    """What creating the flag `button` and the nouns makes."""
    return changed(EMPTY, Create(FLAG), *(Create(noun) for noun in nouns))


def changed(base: Catalog, *commands: Command) -> Catalog:
    """What the commands make of a catalog."""
    return apply(base, commands).catalog
