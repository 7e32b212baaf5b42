"""The answer of a flag: the value one unit sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from allotment.model.reason import Reason


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a flag resolves to for one unit.

    flag        the key that was asked for
    value       the variation's value as JSON data; None for an unknown flag
    variation   the variation's key; None for an unknown flag
    experiment  the experiment whose treatment won, or None where the default did
    reason      the reason of the last experiment asked; None where the flag lists none
    """

    flag: str
    value: Any
    variation: str | None
    experiment: str | None
    reason: Reason | None
