"""A sink in which a test sees what was exposed."""

from __future__ import annotations

from collections.abc import Sequence

from allotment.exposures import Exposure
from allotment.exposures.sink import OwnSink


class ExposureRecorder(OwnSink):
    """Keeps every exposure, at once, and says whether it was there.

        recorder = ExposureRecorder()
        exposures = Exposures(engine, recorder)
        exposures.assign("checkout", "user-1")
        recorder.assert_exposed("checkout", "user-1", "green")

    exposures  what was recorded, the oldest first
    """

    at_once = True

    def __init__(self) -> None:
        self.exposures: list[Exposure] = []

    def write(self, batch: Sequence[Exposure], /) -> None:
        """Keep these."""
        self.exposures += batch

    def clear(self) -> None:
        """Forget what was recorded; an exposure that was seen before is not recorded again."""
        self.exposures.clear()

    def assert_exposed(
        self, experiment: str, unit: str | int, treatment: str | None = None
    ) -> Exposure:
        """Give the exposure of the unit in the experiment; raises AssertionError without one.

        `treatment` None is for any treatment.
        """
        for each in self._of(experiment, unit):
            if treatment in (None, each.treatment):
                return each
        wanted = f"{unit!r} in {experiment!r}" + (f" to {treatment!r}" if treatment else "")
        raise AssertionError(f"there is no exposure of {wanted}; {self._said()}")

    def assert_not_exposed(
        self, experiment: str, unit: str | int | None = None, treatment: str | None = None
    ) -> None:
        """Raise AssertionError where there is such an exposure.

        `unit` None is for any unit, `treatment` None for any treatment.
        """
        found = [e for e in self._of(experiment, unit) if treatment in (None, e.treatment)]
        if found:
            raise AssertionError(f"there is an exposure: {_line(found[0])}; {self._said()}")

    def _of(self, experiment: str, unit: str | int | None) -> list[Exposure]:
        return [
            each
            for each in self.exposures
            if each.experiment == experiment and (unit is None or each.unit == str(unit))
        ]

    def _said(self) -> str:
        if not self.exposures:
            return "nothing was recorded"
        return "recorded:" + "".join(f"\n    {_line(each)}" for each in self.exposures)


def _line(each: Exposure) -> str:
    return f"{each.unit_kind} {each.unit!r} in {each.experiment!r} to {each.treatment!r}"
