"""A flag's value: assign, folded over the flag's experiments. It has no rule of its own."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from allotment.model.assignment import Assignment
from allotment.model.flag import Flag, Miss
from allotment.model.reason import Reason
from allotment.model.resolution import Resolution


def resolve(flag: Flag | None, key: str, assign: Callable[[str], Assignment]) -> Resolution:
    """The first treatment that one of the flag's experiments gives wins, else the default.

    `assign` answers for one experiment. A miss goes on to the next experiment or ends, as the
    flag's list says. `flag` is None where there is none under `key`.
    """
    if flag is None:
        return Resolution(key, None, None, None, None)
    reason: Reason | None = None
    for place in flag.experiments:
        answer = assign(place.experiment)
        reason = answer.reason
        variation = answer.variations.get(flag.key)
        if variation is not None:
            return _resolved(flag, variation, place.experiment, reason)
        if place.miss is Miss.STOP:
            break
    return _resolved(flag, flag.default, None, reason)


def _resolved(
    flag: Flag, variation: str, experiment: str | None, reason: Reason | None
) -> Resolution:
    value = next(each.value for each in flag.variations if each.key == variation)
    return Resolution(flag.key, msgspec.json.decode(value), variation, experiment, reason)
