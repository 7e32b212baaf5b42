"""A shop whose experiments keep assignments, over a store, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from allotment.change.commands import Command, Replace, SetWeights
from allotment.change.lifecycle import Policy
from allotment.store import StickyKey
from serving import fill
from tenant import SPACE, Vendor, node_over

SHOP = """
allotment: 1
flags:
  button:
    default: blue
    variations: {blue: 1, green: 2, red: 3}
    experiments: [first, plain]
segments:
  swedes:
    rules: [{attribute: country, in: [SE]}]
layers:
  page: {}
experiments:
  first:
    state: running
    keeps_assignments: true
    audience: swedes
    treatments: {control: {control: true, sets: {button: blue}}, new: {sets: {button: green}}}
    allocations: [{weights: {control: 100, new: 0}}]
  second:
    state: running
    keeps_assignments: true
    treatments: {control: {control: true}, new: {}}
    allocations: [{weights: {control: 100, new: 0}}]
  plain:
    state: running
    treatments: {control: {control: true, sets: {button: blue}}, red: {sets: {button: red}}}
    allocations: [{weights: {control: 0, red: 100}}]
"""
SWEDEN = {"country": "SE"}


class Shop(Vendor):
    """Asks the assignment paths, and changes the experiments behind them."""

    def change(self, *commands: Command) -> None:
        store = self.node.store
        store.commit(
            commands, who="test", when=datetime.now(UTC), dialect="test", policy=Policy.NATIVE
        )
        self.run(self.node.catch_up())

    def weigh(self, experiment: str, control: int) -> None:
        """Give the control so many percent, and the new treatment the rest."""
        (allocation,) = self.catalog.experiments[experiment].current.allocations
        weights = (("control", control), ("new", 100 - control))
        self.change(SetWeights(experiment, allocation.key, weights, 100))

    def treat(self, *names: str) -> None:
        """Give `first` these treatments, the first of them to everybody."""
        experiment = self.catalog.experiments["first"]
        current = experiment.current
        treatments = tuple(replace(current.treatments[0], key=name) for name in names)
        weights = tuple((name, int(name == names[0])) for name in names)
        (old,) = current.allocations
        allocations = (replace(old, weights=weights, total=1, slots=()),)
        new = replace(current, treatments=treatments, control=names[0], allocations=allocations)
        self.change(Replace(replace(experiment, iterations=(*experiment.iterations[:-1], new))))

    def asked(self, path: str, body: Any, **headers: str) -> Any:
        answer = self.send("POST", path, msgspec.json.encode(body), **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def given(self, unit: object, experiment: str = "first", **more: Any) -> tuple[Any, str, bool]:
        """The treatment, the reason, and whether it is still to be kept."""
        body = {"unit": unit, "attributes": SWEDEN, "experiment": experiment, **more}
        found = self.asked("/v1/assign", body)["assignments"][experiment]
        return found["treatment"], found["reason"], found["to_keep"]

    def kept(self, *units: str, experiment: str = "first", iteration: int = 1) -> dict[str, str]:
        """What the store keeps."""
        sticky_keys = [StickyKey(experiment, iteration, unit) for unit in units]
        found = self.node.store_at(SPACE).sticky(sticky_keys)
        return {sticky_key.unit: each.treatment for sticky_key, each in found.items()}


@contextmanager
def shop(tmp_path: Path, catalog: str = SHOP) -> Iterator[Shop]:
    file = tmp_path / "shop.yaml"
    file.write_text(catalog)
    fill(str(tmp_path / "allotment.db"), file)
    with shop_of(tmp_path) as made:
        yield made


@contextmanager
def shop_of(tmp_path: Path) -> Iterator[Shop]:
    """A node more over the shop's store."""
    with node_over(tmp_path / "allotment.db") as (node, runner):
        yield Shop(node, runner)
