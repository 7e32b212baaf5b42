"""What the reasons of an answer and the checks of an explanation mean, in words."""

from __future__ import annotations

from typing import Final

from allotment.model.assignment import Reason

REASON_WORDS: Final = {
    Reason.UNKNOWN_EXPERIMENT: "there is no such experiment",
    Reason.NO_UNIT: "the unit has no key of the kind that the experiment deals",
    Reason.OVERRIDE: "the unit is among the overrides",
    Reason.INACTIVE: "the experiment does not run, or one of its flags is not on",
    Reason.HELD_OUT: "the holdout keeps the unit out",
    Reason.NOT_IN_LAYER: "the unit's bucket of the layer is not this experiment's",
    Reason.STICKY: "the unit keeps the treatment that it got first",
    Reason.PAUSED: "the experiment is paused",
    Reason.INTAKE_CLOSED: "no new unit is let in",
    Reason.NOT_IN_AUDIENCE: "the unit is not in the audience",
    Reason.NOT_ENROLLED: "the unit's bucket is above the enrolment",
    Reason.ALLOCATED: "an allocation dealt it",
    Reason.NOT_ALLOCATED: "the unit's bucket is in a gap of the allocation",
    Reason.FALLBACK: "the fallback dealt it, as no allocation matched",
    Reason.NO_MATCH: "no allocation serves the unit, and there is no fallback",
    Reason.FAILED: "the experiment cannot be compiled",
}

# By the first word of a check's name.
CHECK_WORDS: Final = {
    "unit": "Is there a key of the kind that is dealt?",
    "override": "Is the unit among the overrides?",
    "active": "Does the experiment run, with all its flags on?",
    "holdout": "Does the holdout keep the unit out?",
    "claim": "Is the unit overridden in an experiment that excludes this one?",
    "layer": "Is the unit's bucket, of the layer or the sample, this experiment's?",
    "kept": "Has the unit a treatment that it keeps?",
    "intake": "Are new units let in?",
    "audience": "Is the unit in the audience?",
    "enrolment": "Is the unit's bucket below the enrolment?",
    "allocation": "Does the allocation serve the unit?",
    "treatment": "Whose is the unit's bucket?",
}
