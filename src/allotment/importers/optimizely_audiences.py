"""Optimizely's audiences, whose conditions are true, false, or unknown where a type differs.

What is unknown stays so under "not". So each condition is read as two: when it is true, and when
it is false.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from allotment.importers.optimizely_file import Datafile
from allotment.importers.optimizely_payload import OptAudience
from allotment.importers.payload import PayloadPart, part, refuse, usable_key
from allotment.importers.rules import Imported
from allotment.model.segment import (
    AllOf,
    AnyOf,
    Clause,
    Condition,
    InSegment,
    Not,
    Operator,
    Scalar,
    Segment,
)

# What Optimizely takes for a number; one that is beyond is unknown.
_NUMBER_MAX: Final = 2**53
_TYPES: Final = ("custom_attribute", "third_party_dimension")
_ORDERS: Final = {
    "gt": Operator.GREATER,
    "ge": Operator.AT_LEAST,
    "lt": Operator.LESS,
    "le": Operator.AT_MOST,
}
_VERSIONS: Final = "it takes 2.1 for a version, and a semantic version has three numbers"
_DIFFERENT: Final = {
    **{f"semver_{word}": _VERSIONS for word in ("eq", "ge", "gt", "le", "lt")},
    "qualified": "a service of Optimizely's says who is",
}
_WORDS: Final = ("and", "or", "not")
_CONDITIONS: Final = "audienceConditions"
_NEVER: Final = AnyOf(())


class _Told(NamedTuple):
    """When a condition is true, and when it is false."""

    true: Condition
    false: Condition


_UNKNOWN: Final = _Told(_NEVER, _NEVER)
_ReadLeaf: TypeAlias = Callable[[Any, str], _Told]


class _Leaf(PayloadPart, frozen=True):
    """One comparison."""

    name: str
    type: str
    value: Any = None
    match: str | None = None


class Audiences:
    """The audiences of a datafile; those that are asked for are added as segments."""

    def __init__(self, datafile: Datafile, imported: Imported) -> None:
        self._told: dict[str, _Told] = {}
        asked: set[str] = set()
        for each in datafile.asking():
            asked |= _leaves(each.given.get("audienceIds"))
            asked |= _leaves(each.given.get("audienceConditions"))
        for identity, each in datafile.audiences.items():
            if identity in asked:
                with imported.attempt(each.path, f"audience {identity}"):
                    self._add(part(OptAudience, each.given, each.path), each.path, imported)

    def _add(self, audience: OptAudience, path: str, imported: Imported) -> None:
        conditions, here = audience.conditions, f"{path}.conditions"
        if isinstance(conditions, str):
            try:
                conditions = msgspec.json.decode(conditions)
            except msgspec.DecodeError as error:
                refuse(here, f"this is not JSON: {error}")
        told = _read(conditions, here, _compared)
        key = usable_key(f"audience-{audience.id}", f"{path}.id")
        imported.segments.append(Segment(key, audience.name, rules=(told.true,)))
        self._told[audience.id] = _Told(InSegment(key), told.false)

    def condition(self, conditions: Any, ids: list[str], path: str) -> Condition | None:
        """Whom a rule is for; None is everyone."""
        tree, word = (ids, "audienceIds") if conditions is None else (conditions, _CONDITIONS)
        return None if tree == [] else _read(tree, f"{path}.{word}", self._asked).true

    def _asked(self, leaf: Any, path: str) -> _Told:
        if leaf not in self._told:
            refuse(path, f"the audience {leaf!r} is not there, or was left out")
        return self._told[leaf]


def _leaves(tree: Any) -> set[str]:
    if isinstance(tree, list):
        return set().union(*map(_leaves, tree))
    return {tree} if isinstance(tree, str) else set()


def _read(tree: Any, path: str, leaf: _ReadLeaf) -> _Told:
    if not isinstance(tree, list):
        return leaf(tree, path)
    if not tree:
        refuse(path, "an empty list is neither true nor false")
    first, *others = tree
    word, operands = (first, others) if first in _WORDS else ("or", tree)
    places = range(len(tree) - len(operands), len(tree))
    told = [
        _read(each, f"{path}[{index}]", leaf) for index, each in zip(places, operands, strict=True)
    ]
    true, false = (tuple(each) for each in zip(*told, strict=True)) if told else ((), ())
    match word:
        case "not":
            return _Told(false[0], true[0]) if told else _UNKNOWN
        case "and":
            return _Told(_all(true), _any(false))
        case _:
            return _Told(_any(true), _all(false))


def _all(parts: tuple[Condition, ...]) -> Condition:
    return parts[0] if len(parts) == 1 else AllOf(parts)


def _any(parts: tuple[Condition, ...]) -> Condition:
    return parts[0] if len(parts) == 1 else AnyOf(parts)


def _compared(given: Any, path: str) -> _Told:
    leaf = part(_Leaf, given, path)
    if leaf.type not in _TYPES:
        refuse(f"{path}.type", f"{leaf.type} is not compared here")
    if not leaf.name:
        refuse(f"{path}.name", "the attribute has no name")
    steps, value, word = (leaf.name,), leaf.value, leaf.match or "exact"
    if word in _DIFFERENT:
        refuse(f"{path}.match", f"{word} has no equal here: {_DIFFERENT[word]}")
    if word == "exists":
        exists = Clause(steps, Operator.EXISTS)
        return _Told(exists, Not(exists))
    if word == "exact":
        return _exact(steps, value)
    if word == "substring":
        is_text = isinstance(value, str)
        return _among(steps, _text(steps), Operator.CONTAINS, value) if is_text else _UNKNOWN
    if word not in _ORDERS:
        refuse(f"{path}.match", f"{word} is not known")
    if not _is_number(value):
        return _UNKNOWN
    numbers = _number(steps)
    told = _among(steps, numbers, _ORDERS[word], value)
    return _Told(AllOf((numbers, told.true)), told.false)


def _exact(steps: tuple[str, ...], value: Any) -> _Told:
    if isinstance(value, bool):
        same_type: Condition = Clause(steps, Operator.IN, (True, False))
    elif isinstance(value, str):
        same_type = _text(steps)
    elif _is_number(value):
        same_type = _number(steps)
    else:
        return _UNKNOWN
    return _among(steps, same_type, Operator.IN, value)


def _among(
    steps: tuple[str, ...], same_type: Condition, operator: Operator, value: Scalar
) -> _Told:
    """A comparison that is known for values of one type only."""
    holds = Clause(steps, operator, (value,))
    return _Told(holds, AllOf((same_type, Not(holds))))


def _text(steps: tuple[str, ...]) -> Condition:
    return Clause(steps, Operator.STARTS_WITH, ("",))


def _number(steps: tuple[str, ...]) -> Condition:
    above = Clause(steps, Operator.AT_LEAST, (-_NUMBER_MAX,))
    return AllOf((above, Clause(steps, Operator.AT_MOST, (_NUMBER_MAX,))))


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= _NUMBER_MAX
