"""A check is left out where it reads nothing that changed: what each one reads is said truly."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from allotment.change import commands as c
from allotment.change.apply import apply
from allotment.change.check import experiment as experiments
from allotment.change.check import iteration as iterations
from allotment.change.fields import differing, differing_within, replaced
from allotment.change.references import NAMING, Names
from allotment.errors import AllotmentError, InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment, State
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.segment import Segment
from allotment.model.slots import Slot
from nouns import EVERYONE, FLAG, catalog, changed, experiment, iteration

# A part is reached through these, and its key is in every path: a check reads more of it.
WAYS = {"iterations", "allocations", "key"}


class Watched:
    """A noun that notes what is read of it, and of its parts."""

    def __init__(self, noun: Any, read: set[str]) -> None:
        self.noun, self.read = noun, read
        self.parts: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        made = getattr(type(self.noun), name)
        if isinstance(made, property):
            return made.fget(self)  # type: ignore[misc]
        self.read.add(name)
        value = getattr(self.noun, name)
        if name not in WAYS or isinstance(value, str):
            return value
        if name not in self.parts:
            self.parts[name] = tuple(Watched(part, self.read) for part in value)
        return self.parts[name]


@pytest.fixture(scope="module")
def base() -> Catalog:
    """Experiments that have everything a check looks at: a layer, a holdout, overrides, a draft."""
    drafted = iteration(number=2, state=State.DRAFT, reshuffle=True, audience="nordics")
    return catalog(
        Segment("nordics"),
        Holdout("q4", "", 50_000),
        Layer("pages", "", reservations=(Reservation("checkout", share_ppm=400_000),)),
        replace(FLAG, key="shown", experiments=()),
        experiment(
            "checkout",
            iteration(
                allocations=(EVERYONE, Allocation("some", EVERYONE.weights, 100, "nordics", 2))
            ),
            drafted,
            layer="pages",
            holdout="q4",
            overrides=(("u1", "green"),),
            keeps_assignments=True,
        ),
        experiment("archived", iteration(state=State.STOPPED), archived=True),
        experiment("apart", iteration(audience="nordics"), holdout="q4", keeps_assignments=True),
    )


def cases(base: Catalog) -> list[tuple[Experiment, Experiment | None]]:
    all_ = [base.experiments[key] for key in base.experiments]
    return [(one, old) for one in all_ for old in (None, replace(one, unit="device", layer=None))]


def test_each_check_of_an_experiment_reads_what_it_says(base: Catalog) -> None:
    for reads, check in experiments.CHECKS:
        if reads == {"iterations"}:
            continue  # the checks of each iteration are below
        found: set[str] = set()
        for one, old in cases(base):
            watched: Any = Watched(one, found)
            with suppress(AllotmentError):  # the old one is made up
                check(experiments.At(watched, old, base, base, "$", {}))
        assert found - WAYS <= reads, reads


def test_each_check_of_an_iteration_reads_what_it_says(base: Catalog) -> None:
    for reads, check in iterations.CHECKS:
        found: set[str] = set()
        for run in (run for one, _ in cases(base) for run in one.iterations):
            for old in (None, replace(run, state=State.DRAFT, treatments=())):
                watched: Any = Watched(run, found)
                check(watched, old, "$")
        assert found & differing(None, iteration()) <= reads | {"iterations"}, reads
        assert found, "it reads something"


def test_what_an_experiment_names_is_of_the_fields_that_are_said(base: Catalog) -> None:
    found: set[str] = set()
    for one, _ in cases(base):
        watched: Any = Watched(one, found)
        Names(base).add_experiment(set(), watched)
    assert found - WAYS <= NAMING
    assert NAMING - found <= {"number"}


def test_nothing_is_found_where_nothing_changed(base: Catalog) -> None:
    one = base.experiments["checkout"]
    assert differing_within(one, one) == frozenset()
    assert differing_within(one, replace(one, name=one.name)) == frozenset()


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (c.Rename("experiment", "checkout", "Checkout"), {"name"}),
        (c.SetEnrolment("checkout", 999_999), {"iterations", "enrolment_ppm"}),
        (
            c.SetWeights("checkout", "everyone", (("control", 60), ("green", 40)), 100),
            {"iterations", "allocations", "weights", "slots"},
        ),
    ],
)
def test_a_change_is_of_the_fields_that_it_sets(
    base: Catalog, command: c.Command, found: set[str]
) -> None:
    after = changed(base, command)
    names = differing_within(base.experiments["checkout"], after.experiments["checkout"])
    assert names == found


def test_parts_that_change_places_are_all_found(base: Catalog) -> None:
    one = base.experiments["checkout"]
    assert {"salt", "weights", "unit"} <= differing_within(
        one, replace(one, iterations=one.iterations[::-1])
    )


def test_slots_of_other_buckets_are_refused_where_a_draft_gets_another_profile() -> None:
    """They were laid for a million buckets; the allocation itself is the very same."""
    laid = replace(EVERYONE, slots=(Slot(0, 500_000, "control"), Slot(500_000, 1_000_000, "green")))
    drafted = catalog(experiment("checkout", iteration(state=State.DRAFT, allocations=(laid,))))
    one = drafted.experiments["checkout"]
    other = replace(one, iterations=(replace(one.current, profile="eppo-1"),))
    with pytest.raises(InvalidInput, match="within 0 and 10,000"):
        apply(drafted, [c.Replace(other)])


def test_a_value_is_replaced_as_by_the_standard_library(base: Catalog) -> None:
    for value in (base, base.experiments["checkout"], base.experiments["checkout"].current):
        name = next(iter(differing(None, value) & {"revision", "layer", "salt"}))
        for new in (None, "x"):
            assert replaced(value, **{name: new}) == replace(value, **{name: new})
    with pytest.raises(TypeError, match="weight"):
        replaced(EVERYONE, weight=())
