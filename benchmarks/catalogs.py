"""The catalogs that are measured: the scenario of the peers' measurements, and large ones."""

from __future__ import annotations

from allotment.change.apply import apply
from allotment.change.commands import Create
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.segment import Clause, Operator, Segment

COUNTRIES = ["SE", "US", "NO", "DE", "FR", "GB", "ES", "IT", "PL", "NL", "FI", "DK", "BR", "IN"]
TREATMENTS = (Treatment("control"), Treatment("blue"), Treatment("green"))
WEIGHTS = (("control", 50), ("blue", 25), ("green", 25))


def catalog(experiments: int, segments: int = 1, enrolment_ppm: int = 1_000_000) -> Catalog:
    """`experiments` of three treatments 50/25/25, each for one of `segments` on the country."""
    nouns: list[Create] = []
    for number in range(segments):
        countries = (COUNTRIES[number % 14], COUNTRIES[(number + 1) % 14])
        clause = Clause(("country",), Operator.IN, countries)
        nouns.append(Create(Segment(f"market-{number}", rules=(clause,))))
    for number in range(experiments):
        iteration = Iteration(
            number=1,
            state=State.RUNNING,
            treatments=TREATMENTS,
            control="control",
            audience=f"market-{number % segments}",
            enrolment_ppm=enrolment_ppm,
            allocations=(Allocation("everyone", WEIGHTS, 100),),
        )
        nouns.append(Create(Experiment(f"exp_{number}", (iteration,))))
    return apply(EMPTY, nouns).catalog
