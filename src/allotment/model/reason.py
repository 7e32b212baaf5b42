"""Why a unit got what it got; the position of a reason in `REASONS` is its code in the kernel."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """The reasons in the order of the checks: the first check that decides gives its reason."""

    UNKNOWN_EXPERIMENT = "UNKNOWN_EXPERIMENT"
    NO_UNIT = "NO_UNIT"
    OVERRIDE = "OVERRIDE"
    INACTIVE = "INACTIVE"
    HELD_OUT = "HELD_OUT"
    NOT_IN_LAYER = "NOT_IN_LAYER"
    STICKY = "STICKY"
    PAUSED = "PAUSED"
    INTAKE_CLOSED = "INTAKE_CLOSED"
    NOT_IN_AUDIENCE = "NOT_IN_AUDIENCE"
    NOT_ENROLLED = "NOT_ENROLLED"
    ALLOCATED = "ALLOCATED"
    NOT_ALLOCATED = "NOT_ALLOCATED"
    FALLBACK = "FALLBACK"
    NO_MATCH = "NO_MATCH"
    FAILED = "FAILED"


REASONS: Final = tuple(Reason)

# The reasons that come with a treatment.
TREATED: Final = frozenset({Reason.OVERRIDE, Reason.STICKY, Reason.ALLOCATED, Reason.FALLBACK})
