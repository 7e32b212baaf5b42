"""The catalog that every change begins with: one experiment for each thing that can be changed."""

from __future__ import annotations

from typing import Any, Final

from allotment.change.commands import Command, Create, OrderExperiments
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.flag import Flag, FlagExperiment, Miss, Variation
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.segment import AllOf, Clause, Operator, Sample, Segment
from laws.views.world import created

COLORS: Final = ("blue", "green", "red")
BUTTON: Final = Flag(
    "button",
    tuple(Variation(color, f'{{"color":"{color}"}}', color) for color in COLORS),
    "blue",
    "Button",
)
BANNER: Final = Flag("banner", BUTTON.variations, "blue", "Banner")
SETS: Final = {color: (("button", color),) for color in COLORS}
BLUE, GREEN = (Treatment(color, sets=SETS[color]) for color in COLORS[:2])
HALVES: Final = Allocation("everyone", (("blue", 50), ("green", 50)), 100)


EVERYONE: Final = (AllOf(()),)


def country(*values: str) -> tuple[Any, ...]:
    return (AllOf((Clause(("country",), Operator.IN, values),)),)


def iteration(state: State = State.RUNNING, **more: Any) -> Iteration:
    return Iteration(1, (BLUE, GREEN), (HALVES,), state, control="blue", **more)


def experiment(key: str, state: State = State.RUNNING, **more: Any) -> Experiment:
    return Experiment(key, (iteration(state),), key.capitalize(), **more)


NOUNS: Final = (
    BUTTON,
    BANNER,
    Segment("nordics", "Nordics", rules=country("SE", "NO")),
    Segment("french", "French", rules=country("FR")),
    Segment("tenth", "Tenth", rules=EVERYONE, sample=Sample(100_000, "tags", ("a",), ("a",))),
    Holdout("year", "year", 100_000, "Year"),
    Layer("tags", "tags", "Tags"),
    Experiment("first", (iteration(),), "First"),
    experiment("second"),
    experiment("drafted", State.DRAFT),
    experiment("paused", State.PAUSED),
    experiment("stopped", State.STOPPED),
    experiment("reserved", State.DRAFT),
    Experiment(
        "sampled",
        (iteration(audience="tenth"),),
        "Sampled",
    ),
    Experiment("northern", (iteration(audience="nordics"),), "Northern"),
    experiment("held", State.DRAFT, holdout="year"),
)
BEGIN: Final[tuple[Command, ...]] = (
    *(each for each in created(*NOUNS)),
    Create(Layer("checkout", "checkout", "Checkout")),
    OrderExperiments(
        "button",
        tuple(
            FlagExperiment(each.key, Miss.NEXT) for each in NOUNS if isinstance(each, Experiment)
        ),
    ),
)

__all__ = ["BEGIN", "Reservation"]
