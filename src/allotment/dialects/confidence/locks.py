"""Which modules of an instance cannot be changed now."""

from __future__ import annotations

from typing import Final

from allotment.change.lifecycle import STRUCTURE, Event, Fields, Policy, editable, status
from allotment.dialects.confidence.schema.instances import MODULES
from allotment.model.experiment import Experiment

# The gate of `flags` is its intake, which is switched while live; each other field in it is asked
# about by the event that it is.
_MODULES: Final[Fields] = {
    **dict.fromkeys(("abtest", "flags", *MODULES), (Event.NAME,)),
    "abtest": STRUCTURE,
    "flags": (Event.INTAKE,),
}


def shown_locks(experiment: Experiment) -> tuple[str, ...]:
    """The modules that cannot be changed now, as the lifecycle has it."""
    free = editable(Policy.CONFIDENCE, _MODULES, status(experiment))
    return tuple(module for module in _MODULES if module not in free)
