"""GrowthBook's conditions: whom a rule is for.

An attribute that is a list is compared by its elements here, as GrowthBook's $in and $nin do. Its
other operators never match a list; `elementwise` says whether a condition uses one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from allotment.importers.patterns import check_pattern
from allotment.importers.payload import array, mapping, refuse
from allotment.importers.values import ordered, scalar_of
from allotment.model.number import read_whole
from allotment.model.segment import AllOf, AnyOf, Clause, Condition, Not, Operator

_NUMERIC: Final = {
    "$lt": Operator.LESS,
    "$lte": Operator.AT_MOST,
    "$gt": Operator.GREATER,
    "$gte": Operator.AT_LEAST,
}
_NEGATED: Final = {"$ne": "$eq", "$notRegex": "$regex"}

_ALL: Final = AllOf(())
_NONE: Final = AnyOf(())


@dataclass(slots=True)
class Reader:
    """Reads conditions; `groups` are saved groups by id."""

    groups: Mapping[str, Any]
    elementwise: bool = False

    def read(self, condition: Any, path: str) -> Condition:
        """A condition on attributes: all of its entries hold."""
        parts = [
            self._entry(key, value, f"{path}.{key}")
            for key, value in mapping(condition, path).items()
        ]
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _entry(self, key: str, value: Any, path: str) -> Condition:
        if key == "$not":
            return Not(self.read(value, path))
        if key in {"$or", "$nor", "$and"}:
            parts = tuple(
                self.read(each, f"{path}[{index}]") for index, each in enumerate(array(value, path))
            )
            if key == "$and":
                return AllOf(parts)
            some = AnyOf(parts) if parts else _ALL  # of none, it is true there
            return some if key == "$or" else Not(some)
        if key.startswith("$"):
            refuse(path, f"{key} has no equal here")
        return self._value(_steps(key, path), value, path)

    def _value(self, steps: tuple[str, ...], value: Any, path: str) -> Condition:
        if not isinstance(value, dict):
            return self._operator(steps, "$eq", value, path)
        if not all(key.startswith("$") for key in value):
            refuse(path, "an object is compared as a whole")
        parts = [
            self._operator(steps, key, operand, f"{path}.{key}") for key, operand in value.items()
        ]
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _operator(self, steps: tuple[str, ...], word: str, operand: Any, path: str) -> Condition:
        there = Clause(steps, Operator.EXISTS)
        match word:
            case "$exists":
                return there if operand else Not(there)
            case "$in" | "$inGroup" | "$nin" | "$notInGroup":
                listed = word in {"$in", "$nin"}
                values = array(operand, path) if listed else self._group(operand, path)
                found = _is_in(steps, values, path)
                return found if word in {"$in", "$inGroup"} else Not(found)
            case "$not":
                return Not(self._value(steps, operand, path))
        self.elementwise = True
        if word in _NEGATED:
            return Not(self._single(steps, _NEGATED[word], operand, path))
        return self._single(steps, word, operand, path)

    def _single(self, steps: tuple[str, ...], word: str, operand: Any, path: str) -> Condition:
        """The operators that never match a list there."""
        if word == "$eq":
            missing = Not(Clause(steps, Operator.EXISTS))
            return missing if operand is None else _is_in(steps, [operand], path)
        if word in _NUMERIC:
            return Clause(steps, _NUMERIC[word], (ordered(operand, path),))
        if word != "$regex" or not isinstance(operand, str):
            refuse(path, f"{word} has no equal here")
        check_pattern(operand, path)
        return Clause(steps, Operator.MATCHES, (operand,))

    def _group(self, name: Any, path: str) -> list[Any]:
        """The values of a saved group."""
        group = self.groups.get(name) if isinstance(name, str) else None
        if isinstance(group, dict) and group.get("type") == "list":
            group = group.get("values")
        if not isinstance(group, list):
            refuse(path, f"the saved group {name!r} is not in the file, or no list")
        return group


def _steps(key: str, path: str) -> tuple[str, ...]:
    steps = tuple(key.split("."))
    if not all(steps) or any(
        read_whole(step) is not None or step == "length" for step in steps[1:]
    ):
        refuse(path, "it asks for an element or the length of a list")
    return steps


def _is_in(steps: tuple[str, ...], values: list[Any], path: str) -> Condition:
    scalars = tuple(scalar_of(value, path) for value in values)
    return Clause(steps, Operator.IN, scalars) if scalars else _NONE
