"""In which fields of a noun a change has put another object, and copies of nouns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from itertools import compress
from operator import attrgetter, is_not
from typing import Any, Final, TypeVar

from allotment.model.experiment import Allocation, Experiment, Iteration

N = TypeVar("N")


def differing(one: Any, other: Any) -> frozenset[str]:
    """The fields in which `other` has not the very objects of `one`; all, where that is None.

    Equal values can be different objects, never the other way round: nothing that changed is left
    out, an int in the place of a bool included.
    """
    kind: Any = type(other)
    names, read = _fields(kind)
    if one is None:
        return frozenset(names)
    return frozenset(compress(names, map(is_not, read(one), read(other))))


def differing_within(one: Experiment | None, other: Experiment) -> frozenset[str]:
    """The fields that differ of an experiment, of its iterations and of their allocations.

    All of them, where iterations or allocations come, go or change places.
    """
    if one is None or len(one.iterations) != len(other.iterations):
        return _ALL
    found = differing(one, other)
    for was, now in zip(one.iterations, other.iterations, strict=True):
        if was is now:
            continue
        if was.number != now.number or len(was.allocations) != len(now.allocations):
            return _ALL
        found |= differing(was, now)
        for before, after in zip(was.allocations, now.allocations, strict=True):
            if before is not after:
                found |= differing(before, after)
                if before.key != after.key:
                    return _ALL
    return found


def replaced(value: N, **changes: object) -> N:
    """As `dataclasses.replace`, which looks at each field's definition first."""
    kind: Any = type(value)
    names, read = _fields(kind)
    if not changes.keys() <= kind.__dataclass_fields__.keys():
        raise TypeError(f"{kind.__name__} has not all of the fields {sorted(changes)}")
    made: N = kind(*map(changes.get, names, read(value)))
    return made


@cache
def _fields(noun: type) -> tuple[tuple[str, ...], Callable[[object], tuple[object, ...]]]:
    names = tuple(field.name for field in fields(noun))
    return names, attrgetter(*names)


_ALL: Final = frozenset(
    name for noun in (Experiment, Iteration, Allocation) for name in _fields(noun)[0]
)
