"""Random histories: a unit that was kept keeps its treatment, and no two exclusive ones keep it."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from allotment.change.commands import (
    Command,
    DraftIteration,
    EndIteration,
    PauseIteration,
    Release,
    Reserve,
    ResumeIteration,
    SetEnrolment,
    SetIntake,
    SetKeeping,
    SetOverrides,
    SetWeights,
    StartIteration,
)
from allotment.errors import AllotmentError
from allotment.model.assignment import Assignment
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.server.counters import Counters
from allotment.server.sticky.assignments import StickyAssignments
from allotment.server.sync.spaces import Served, serve_stored
from allotment.server.sync.threads import Threads
from allotment.store import StickyKey, Store
from serving import fill

CATALOG = """
allotment: 1
flags:
  button: {default: blue, variations: {blue: 1, green: 2}, experiments: [one, two, free]}
segments:
  swedes: {rules: [{attribute: country, in: [SE]}]}
layers:
  page: {reservations: {one: 30%, two: 30%, other: 10%}}
experiments:
  one: &one
    state: running
    keeps_assignments: true
    audience: swedes
    treatments: {control: {control: true, sets: {button: blue}}, new: {sets: {button: green}}}
    allocations: [{weights: {control: 50, new: 50}}]
  two: *one
  free: *one
  other: *one
"""
EXPERIMENTS = ("one", "two", "free", "other")
LAYERED = ("one", "two", "other")
UNITS = tuple(f"u{number}" for number in range(6))
COUNTRIES = ("SE", "US")

experiments = st.sampled_from(EXPERIMENTS)
shares = st.sampled_from((0, 50_000, 100_000, 300_000, 700_000, 1_000_000))


@cache
def shop() -> bytes:
    """A store of the catalog, as its file: laying one takes longer than a whole history."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "shop.yaml"
        file.write_text(CATALOG)
        fill(f"{folder}/allotment.db", file)
        return Path(folder, "allotment.db").read_bytes()


class StickyNode:
    """As much of a node as keeping asks for."""

    adopted = 0

    def __init__(self, store: Store) -> None:
        self.store = store
        self.counters = Counters()
        self.threads = Threads(self.counters)

    def store_at(self, _space: str) -> Store:
        return self.store


class Histories(RuleBasedStateMachine):
    """Knows what every unit was given first in each iteration, and expects it again."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = str(Path(self.folder.name) / "allotment.db")
        Path(self.database).write_bytes(shop())
        Path(f"{self.database}.kept").touch()
        self.runner = asyncio.Runner()
        self.kept: dict[StickyKey, str] = {}
        self.open()

    def open(self) -> None:
        self.store = Store.open(self.database)
        self.keeping = StickyAssignments(StickyNode(self.store))  # type: ignore[arg-type]
        self.served: Served = serve_stored(self.store.read())

    def teardown(self) -> None:
        self.keeping.close()
        self.store.close()
        self.runner.close()
        self.folder.cleanup()

    @property
    def catalog(self) -> Catalog:
        return self.served.stored.catalog

    def change(self, *commands: Command) -> None:
        """Make a change, where the rules of the house allow it."""
        try:
            self.store.commit(commands, who="", when=datetime.now(UTC), dialect="test")
        except AllotmentError:
            return
        self.served = serve_stored(self.store.read())

    @rule(key=experiments, control=st.integers(0, 100))
    def weigh(self, key: str, control: int) -> None:
        (allocation,) = self.catalog.experiments[key].current.allocations
        weights = (("control", control), ("new", 100 - control))
        self.change(SetWeights(key, allocation.key, weights, 100))

    @rule(key=experiments, share=shares)
    def ramp(self, key: str, share: int) -> None:
        self.change(SetEnrolment(key, share))

    @rule(key=experiments, paused=st.booleans())
    def pause(self, key: str, paused: bool) -> None:
        self.change(PauseIteration(key) if paused else ResumeIteration(key))

    @rule(key=experiments, is_open=st.booleans())
    def intake(self, key: str, is_open: bool) -> None:
        self.change(SetIntake(key, is_open))

    @rule(key=experiments, ignores=st.booleans())
    def ignore_targeting(self, key: str, ignores: bool) -> None:
        self.change(SetKeeping(key, keeps_assignments=True, ignore_targeting=ignores))

    @rule(key=experiments, share=shares)
    def reserve(self, key: str, share: int) -> None:
        self.change(Reserve("page", key, share))

    @rule(key=experiments)
    def release(self, key: str) -> None:
        self.change(Release(key))

    @rule(key=experiments, units=st.sets(st.sampled_from(UNITS), max_size=2))
    def override(self, key: str, units: set[str]) -> None:
        self.change(SetOverrides(key, tuple((unit, "new") for unit in sorted(units))))

    @rule(key=experiments)
    def stop(self, key: str) -> None:
        self.change(EndIteration(key))

    @rule(key=experiments)
    def run_again(self, key: str) -> None:
        iteration = self.catalog.experiments[key].current
        self.change(DraftIteration(key, iteration), StartIteration(key, "again"))

    @rule()
    def restart(self) -> None:
        """The node forgets all that it remembers."""
        self.keeping.close()
        self.store.close()
        self.open()

    @invariant()
    def every_unit_gets_what_it_should(self) -> None:
        """Asked one way or another, at home or abroad, as the revision has it."""
        turn = self.catalog.revision
        for number, unit in enumerate(UNITS):
            country = COUNTRIES[(turn + number) % 3 // 2]
            if (turn + number) % 4 == 0:
                self.check_resolved(unit, country)
            given = self.given(unit, country)
            for each in given.values():
                self.check(each, unit, country)
            self.check_exclusion(unit, given)

    def check_resolved(self, unit: str, country: str) -> None:
        resolving = self.keeping.resolve(self.served, "button", unit, {"country": country})
        resolution, given = self.runner.run(resolving)
        assert (given is None) == (resolution.experiment is None)
        if given is not None:
            assert resolution.variation == given.variations["button"]
            self.check(given, unit, country)

    def given(self, unit: str, country: str) -> dict[str, Assignment]:
        known = {"country": country}
        plain = [self.served.engine.assign(key, unit, known) for key in EXPERIMENTS]
        given = cast(list[Assignment], plain)
        return self.runner.run(self.keeping.settle(self.served, unit, known, given))

    def check(self, given: Assignment, unit: str, country: str) -> None:
        experiment = self.catalog.experiments[given.experiment]
        assert not given.to_keep
        sticky_key = StickyKey(given.experiment, given.iteration, unit)
        if given.reason in ("ALLOCATED", "STICKY"):
            assert given.treatment is not None
            assert self.kept.setdefault(sticky_key, given.treatment) == given.treatment
        elif sticky_key in self.kept and self.stays(experiment, sticky_key, country):
            assert given.reason == "OVERRIDE", (given, self.kept[sticky_key])

    def stays(self, experiment: Experiment, sticky_key: StickyKey, country: str) -> bool:
        """Whether a unit that was kept still has its treatment."""
        live = experiment.live
        if (
            live is None
            or live.number != sticky_key.iteration
            or self.is_claimed(experiment, sticky_key.unit)
        ):
            return False
        return experiment.ignore_targeting or country == "SE"

    def is_claimed(self, experiment: Experiment, unit: str) -> bool:
        """Whether another of the layer has the unit by override, which the layer puts first."""
        others = (self.catalog.experiments[key] for key in EXPERIMENTS if key != experiment.key)
        layered = [each for each in others if each.layer is not None]
        return experiment.layer is not None and any(unit in dict(e.overrides) for e in layered)

    def check_exclusion(self, unit: str, given: dict[str, Assignment]) -> None:
        """No unit has a treatment of two of a layer, and none is kept by two that are live."""
        inside = [key for key in EXPERIMENTS if self.catalog.experiments[key].layer is not None]
        overridden = [key for key in inside if given[key].reason == "OVERRIDE"]
        treated = [key for key in inside if given[key].treatment is not None]
        assert len(treated) <= 1 or treated == overridden, given

    @invariant()
    def no_unit_is_kept_by_two_that_exclude_each_other(self) -> None:
        live = {
            key: each.live.number
            for key in EXPERIMENTS
            if (each := self.catalog.experiments[key]).layer is not None and each.live is not None
        }
        sticky_keys = [
            StickyKey(key, number, unit) for key, number in live.items() for unit in UNITS
        ]
        units = [sticky_key.unit for sticky_key in self.store.sticky(sticky_keys)]
        assert len(units) == len(set(units))


Histories.TestCase.settings = settings(
    max_examples=10,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
test_histories = Histories.TestCase
