"""The answers: what one unit gets in one experiment or from one flag, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NoReturn


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


class Frozen(dict[str, str]):
    """Text by text, for good. Every way to change it raises TypeError."""

    __slots__ = ()

    def _refuse(self, *_arguments: Any, **_options: Any) -> NoReturn:
        raise TypeError("this mapping is frozen; dict(it) makes a copy that can be changed")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[Frozen], tuple[dict[str, str]]]:
        return Frozen, (dict(self),)


NOTHING = Frozen()


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
