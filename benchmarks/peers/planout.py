"""PlanOut: an experiment a class, its logging off."""

from __future__ import annotations

import collections
import collections.abc
from typing import Any

# PlanOut was written for a Python that had it there.
collections.MutableMapping = collections.abc.MutableMapping

from planout.experiment import Experiment  # noqa: E402  # what it imports is put in place above
from planout.ops.random import WeightedChoice  # noqa: E402  # what it imports is put in place above


class Market(Experiment):
    """An experiment of a name, with what it draws by if the unit takes part."""

    def __init__(self, name: str, choose: Any) -> None:
        self._called = name
        super().__init__(choose=choose)

    def setup(self) -> None:
        self.name = self._called
        self.set_auto_exposure_logging(False)

    def assign(self, params: Any, choose: Any) -> None:
        if choose:
            params.treatment = choose

    def checksum(self) -> None:
        """Of the source, for a log; it would be read for each unit."""

    def configure_logger(self) -> None:
        pass

    def log(self, data: Any) -> None:
        pass

    def previously_logged(self) -> bool:
        return True


def prepare(experiments: dict[str, list[str]], shares: dict[str, int]) -> dict[str, Any]:
    choices, weights = list(shares), list(shares.values())

    def market(name: str, unit: str, country: str) -> Any:
        choose = None
        if country in experiments[name]:
            choose = WeightedChoice(choices=choices, weights=weights, unit=unit)
        return Market(name, choose).get("treatment")

    def single(country: str, units: list[str]) -> list[Any]:
        return [market("exp_0", unit, country) for unit in units]

    def every(country: str, units: list[str]) -> list[Any]:
        return [[market(name, unit, country) for name in experiments] for unit in units]

    return {"single": single, "all": every}
