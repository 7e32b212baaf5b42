"""What a plan counts is what happens, whatever is kept for the units."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from allotment.change.apply import apply
from allotment.change.commands import (
    Command,
    DraftIteration,
    EndIteration,
    PauseIteration,
    Replace,
    ResumeIteration,
    SetEnrolment,
    SetIntake,
    SetKeeping,
    SetOverrides,
    SetWeights,
    StartIteration,
)
from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.errors import AllotmentError
from allotment.frames.moves import count_moves
from allotment.frames.rows import Rows
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.reference import assign
from allotment.store import StickyKey, Store
from serving import fill

BODY = """state: running, keeps_assignments: true, audience: swedes,
         treatments: {control: {control: true}, new: {}, other: {}},
         allocations: [{weights: {control: 50, new: 25, other: 25}}]"""
SHOP = f"""
allotment: 1
segments:
  swedes: {{rules: [{{attribute: country, in: [SE]}}]}}
experiments:
  one: {{{BODY}}}
  two: {{unit: device, {BODY}}}
  plain: {{{BODY.replace("true", "false", 1)}}}
"""
KEYS = ("one", "two", "plain")
NAMES = ("control", "new", "other")
UNITS = [f"u{number}" for number in range(60)]
COUNTRIES = [("SE", "SE", "US")[number % 3] for number in range(60)]


class Planned:
    """A store, units of which some were assigned, and changes that are planned and then made."""

    def __init__(self, store: Store, dice: random.Random) -> None:
        self.store = store
        self.dice = dice
        self.changes = self.moves = self.replaced = 0

    def kept(self, key: str, iteration: int, units: Sequence[str]) -> Mapping[str, Sequence[str]]:
        found = self.store.sticky([StickyKey(key, iteration, unit) for unit in units])
        return {sticky_key.unit: each.treatments for sticky_key, each in found.items()}

    def answers(self, catalog: Catalog) -> dict[str, list[str | None]]:
        """What each unit has, as the twin says it with what the store keeps."""
        found: dict[str, list[str | None]] = {}
        for key in KEYS:
            stored = self.kept(key, catalog.experiments[key].current.number, UNITS)
            found[key] = [
                assign(catalog, key, unit, {"country": country}, stored.get(unit)).treatment
                for unit, country in zip(UNITS, COUNTRIES, strict=True)
            ]
        return found

    def visit(self) -> None:
        """Some units are assigned, and what an experiment keeps is kept."""
        catalog = self.store.catalog()
        names = {key: [t.key for t in catalog.experiments[key].current.treatments] for key in KEYS}
        for place in self.dice.sample(range(len(UNITS)), 15):
            for key in KEYS:
                known = {"country": COUNTRIES[place]}
                answer = assign(catalog, key, UNITS[place], known)
                if answer.to_keep and answer.treatment is not None:
                    sticky_key = StickyKey(key, answer.iteration, UNITS[place])
                    there = self.store.sticky([sticky_key])
                    if sticky_key in there and there[sticky_key].standing(names[key]) is not None:
                        continue
                    when = datetime.now(UTC)
                    self.replaced += len(there)
                    self.store.keep(
                        {sticky_key: answer.treatment},
                        revision=catalog.revision,
                        when=when,
                        behind=there,
                    )

    def change(self, *commands: Command) -> None:
        """Plan a change, make it, and look at who moved."""
        before = self.store.catalog()
        try:
            change = apply(before, commands)
        except AllotmentError:
            return
        engines = (Engine(compile_catalog(each)) for each in (before, change.catalog))
        columns = {"user": pa.array(UNITS), "device": UNITS}
        rows = Rows(columns, {}, {"country": COUNTRIES})
        touched = [key for key in KEYS if key in change.touched]
        counted = count_moves(*engines, [rows], touched, self.kept)
        had = self.answers(before)
        self.store.commit(commands, who="", when=datetime.now(UTC), dialect="test")
        has = self.answers(self.store.catalog())
        for key in KEYS:
            seen = Counter(zip(had[key], has[key], strict=True))
            moved = sum(count for (then, now), count in seen.items() if then != now)
            if key in counted:
                assert counted[key].cells == seen, (key, commands)
                assert counted[key].units == len(UNITS)
            else:
                assert moved == 0, (key, commands)
            self.moves += moved
        self.changes += 1

    def some_change(self) -> tuple[Command, ...]:
        catalog, dice = self.store.catalog(), self.dice
        key = dice.choice(KEYS)
        experiment = catalog.experiments[key]
        cuts = sorted(dice.choices(range(101), k=2))
        weights = dict(zip(NAMES, (cuts[0], cuts[1] - cuts[0], 100 - cuts[1]), strict=True))
        (allocation,) = experiment.current.allocations
        current = {name: weights[name] for name, _ in allocation.weights}
        current[next(iter(current))] += 100 - sum(current.values())
        some = tuple((unit, dice.choice(NAMES)) for unit in sorted(dice.sample(UNITS, 3)))
        changes: list[tuple[Command, ...]] = [
            (SetWeights(key, allocation.key, tuple(current.items()), 100),),
            (SetKeeping(key, dice.random() < 0.7, dice.random() < 0.5),),
            (PauseIteration(key),),
            (ResumeIteration(key),),
            (SetIntake(key, dice.random() < 0.5),),
            (SetEnrolment(key, dice.choice([100_000, 500_000, 1_000_000])),),
            (SetOverrides(key, some),),
            (EndIteration(key),),
            (DraftIteration(key, experiment.current), StartIteration(key, "again")),
            (Replace(with_treatments(experiment, dice.sample(NAMES, dice.randint(1, 3)))),),
        ]
        return dice.choice(changes)


def with_treatments(experiment: Experiment, names: Sequence[str]) -> Experiment:
    """The experiment with these treatments at equal weights, the first of them the control."""
    current = experiment.current
    treatments = tuple(replace(current.treatments[0], key=name) for name in names)
    (allocation,) = current.allocations
    even = replace(allocation, weights=tuple((n, 1) for n in names), total=len(names), slots=())
    changed = replace(current, treatments=treatments, control=names[0], allocations=(even,))
    return replace(experiment, iterations=(*experiment.iterations[:-1], changed), overrides=())


def test_what_a_plan_counts_is_what_happens(tmp_path: Path, seed: int) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    fill(str(tmp_path / "allotment.db"), file)
    with Store.open(tmp_path / "allotment.db") as store:
        planned = Planned(store, random.Random(seed))
        while planned.changes < 120:
            planned.visit()
            planned.change(*planned.some_change())
    assert planned.moves > 500
    assert planned.replaced > 10
