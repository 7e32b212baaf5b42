"""A flag's value: assign, folded over the flag's experiments. There is no other rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec

from allotment.model.assignment import Assignment, Reason, Resolution
from allotment.model.flag import Flag, Miss

_decode = msgspec.json.Decoder().decode

# Reasons of an experiment that is not live. NO_UNIT is answered before anything asks whether it is.
_NOT_LIVE: Final = frozenset({Reason.UNKNOWN_EXPERIMENT, Reason.INACTIVE})

# Resolutions by flag, variation, experiment and reason: frozen, so made once a snapshot.
Known: TypeAlias = dict[tuple[str, str, str | None, Reason | None], Resolution]


def resolve(
    flag: Flag,
    assign: Callable[[str], Assignment],
    is_live: Callable[[str], bool],
    known: Known,
) -> Resolution:
    """The first treatment that one of the flag's experiments gives wins, else the default.

    `assign` answers for one experiment. A miss goes on to the next
    experiment or ends, as the flag's list says: with the default, or with what `otherwise` names
    where the experiment `is_live`.
    """
    reason: Reason | None = None
    for place in flag.experiments:
        answer = assign(place.experiment)
        reason = answer.reason
        variation = answer.variations.get(flag.key)
        if variation is not None:
            return _resolved(flag, variation, place.experiment, reason, known)
        passed = reason in _NOT_LIVE or (reason is Reason.NO_UNIT and not is_live(place.experiment))
        if place.otherwise is not None and passed:
            continue
        if place.miss is Miss.STOP:
            return _resolved(flag, place.otherwise or flag.default, None, reason, known)
    return _resolved(flag, flag.default, None, reason, known)


def _resolved(
    flag: Flag, variation: str, experiment: str | None, reason: Reason | None, known: Known
) -> Resolution:
    asked = (flag.key, variation, experiment, reason)
    if (resolution := known.get(asked)) is not None:
        return resolution
    text = next(each.value for each in flag.variations if each.key == variation)
    resolution = Resolution(flag.key, _decode(text), variation, experiment, reason)
    # A list or an object is decoded again for each caller, as the caller may change it.
    if not text.startswith(("{", "[")):
        known[asked] = resolution
    return resolution
