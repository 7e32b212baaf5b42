"""A flag's value as clients of OpenFeature take it, over HTTP and in process alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from allotment.engine.engine import Attributes, Engine, Unit
from allotment.kernel.unit import unit_key
from allotment.model.assignment import Assignment, Reason, Resolution
from allotment.model.flag import CLIENT_DEFAULT, Flag, FlagState, Variation


class Still:
    """Answers that take several calls, each wholly of one snapshot: the engine's newest."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._still = Engine(engine.snapshot, note=None)

    def now(self) -> Engine:
        """An engine of what is published now; nothing is ever published to it."""
        still, snapshot = self._still, self._engine.snapshot
        if still.snapshot is not snapshot:
            still = self._still = Engine(snapshot, note=None)
        return still


def evaluate(
    still: Engine,
    flag: str,
    unit: Unit,
    attributes: Attributes = None,
    stored: Mapping[str, str] | None = None,
) -> tuple[Resolution, Assignment | None]:
    """A flag's value, and the assignment that it came from, from an engine that never changes."""
    resolution = still.resolve(flag, unit, attributes, stored)
    if resolution.experiment is None:
        return resolution, None
    kept = stored.get(resolution.experiment) if stored else None
    given = still.assign(resolution.experiment, unit, attributes, kept)
    assert isinstance(given, Assignment)
    return resolution, given


def shown(
    still: Engine, given: Assignment, unit: Unit, attributes: Attributes = None
) -> tuple[str, str, str | None]:
    """Of a treatment that the engine gave: the kind of unit, its key, and the allocation."""
    kind = still.catalog.experiments[given.experiment].unit
    key = unit_key(unit, kind)
    assert key is not None, "it was given a treatment"
    return kind, key, still.allocation_of(given, unit, attributes)


def lacks_unit(resolution: Resolution) -> bool:
    """Whether the default stands in for want of a unit, where an experiment is live."""
    return resolution.reason is Reason.NO_UNIT and resolution.experiment is None


def reason_of(flag: Flag, resolution: Resolution) -> str:
    """The reason as OpenFeature has it: which way of deciding gave the value."""
    if resolution.experiment is not None:
        return "TARGETING_MATCH" if resolution.reason is Reason.OVERRIDE else "SPLIT"
    if flag.state is not FlagState.ON:
        return "DISABLED"
    if resolution.reason in (Reason.FAILED, Reason.UNKNOWN_EXPERIMENT):
        return "UNKNOWN"
    return "STATIC"


def shape_of(flag: Flag) -> Callable[[Variation], str | None]:
    """How a flag's values are written as JSON; None is for no value: the client uses its default.

    Clients take a number with a point for a float and one without for an integer. So where one
    value of a flag has a fraction or an exponent, all have a point.
    """
    texts = [text for each in flag.variations if (text := each.value.strip()) != "null"]
    numbers = [text for text in texts if text[:1] in "-0123456789"]
    floats = len(numbers) == len(texts) and not all(map(_is_integer, numbers))

    def shape(variation: Variation) -> str | None:
        text = variation.value.strip()
        if text == "null" or (variation.key == CLIENT_DEFAULT and text == "{}"):
            return None
        return f"{text}.0" if floats and _is_integer(text) else text

    return shape


def _is_integer(number: str) -> bool:
    """Whether a number of JSON has neither a fraction nor an exponent, however long it is."""
    return not set(number) & set(".eE")
