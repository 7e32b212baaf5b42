"""What the store may keep that would change an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from allotment.kernel.unit import unit_key
from allotment.model.assignment import Assignment, Reason
from allotment.model.experiment import Experiment
from allotment.store import StickyKey

# The reasons that come after a sticky assignment in the order of the checks: only there one counts.
_AFTER: Final = frozenset(
    {
        Reason.PAUSED,
        Reason.INTAKE_CLOSED,
        Reason.NOT_ENROLLED,
        Reason.ALLOCATED,
        Reason.NOT_ALLOCATED,
        Reason.FALLBACK,
        Reason.NO_MATCH,
    }
)
_AFTER_IGNORING: Final = _AFTER | {Reason.NOT_IN_AUDIENCE}


def after(experiment: Experiment) -> frozenset[Reason]:
    """The reasons in whose place a sticky assignment would stand, if there were one."""
    if not experiment.keeps_assignments or experiment.live is None:
        return frozenset()
    return _AFTER_IGNORING if experiment.ignore_targeting else _AFTER


def sticky_key_of(
    experiment: Experiment, given: Assignment, unit: str | int | Mapping[str, str | int]
) -> StickyKey | None:
    """The lot of the unit to which an answer was given; None where a kept one would not count."""
    if given.reason not in after(experiment):
        return None
    key = unit_key(unit, experiment.unit)
    return None if key is None else StickyKey(experiment.key, given.iteration, key)
