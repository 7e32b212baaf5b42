"""The answer: what one unit gets in one experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from allotment.model.reason import Reason


@dataclass(frozen=True, slots=True)
class Assignment:
    """One unit's treatment in one experiment, and why.

    experiment   the key that was asked for
    treatment    the treatment's key, or None where the reason comes with none
    reason       which check decided
    variations   flag key to variation key, as the treatment sets them; empty without a treatment
    is_control   whether the treatment is the control of its iteration
    iteration    the number of the experiment's current iteration, 0 for an unknown experiment
    revision     the catalog revision the experiment's plan was compiled at
    to_keep      whether the experiment keeps first assignments and this is one
    """

    experiment: str
    treatment: str | None
    reason: Reason
    variations: Mapping[str, str]
    is_control: bool
    iteration: int
    revision: int
    to_keep: bool = False
