"""LaunchDarkly's clauses: whom a rule is for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from allotment.importers.patterns import check_pattern
from allotment.importers.payload import PayloadPart, refuse
from allotment.importers.rules import Imported
from allotment.importers.values import ids_of, ordered, scalar_of
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

USER: Final = "user"

_TEXT: Final = {
    "contains": Operator.CONTAINS,
    "startsWith": Operator.STARTS_WITH,
    "endsWith": Operator.ENDS_WITH,
    "matches": Operator.MATCHES,
}
_NUMERIC: Final = {
    "lessThan": Operator.LESS,
    "lessThanOrEqual": Operator.AT_MOST,
    "greaterThan": Operator.GREATER,
    "greaterThanOrEqual": Operator.AT_LEAST,
}
_DIFFERENT: Final = {
    "before": "dates are not compared here",
    "after": "dates are not compared here",
    "semVerEqual": "it takes 2 for the version 2.0.0, and a semantic version has three numbers",
    "semVerLessThan": "it takes 2 for the version 2.0.0, and a semantic version has three numbers",
    "semVerGreaterThan": "it takes 2 for the version 2.0.0, and a version here has three numbers",
}


class LdClause(PayloadPart, frozen=True):
    """One comparison."""

    attribute: str
    op: str
    values: list[Any]
    negate: bool | None = None
    context_kind: str | None = None

    @property
    def kind(self) -> str | None:
        """The kind of context whose attribute is compared; None where it asks for segments."""
        return None if self.op == "segmentMatch" else self.context_kind or USER


@dataclass(slots=True)
class LdScope:
    """Whose clauses are read: a flag's or a segment's, with the segments that were imported."""

    owner: str
    unit: str
    segments: Collection[str]
    imported: Imported
    _count: int = 0

    def named(self, values: Iterable[str], path: str) -> InSegment:
        """Units that are named, as a segment of their own."""
        key = f"{self.owner}.units-{self._count}"
        self._count += 1
        listed = Segment(key, unit=self.unit, include=ids_of(values, path))
        self.imported.segments.append(listed)
        return InSegment(key)


def all_of(clauses: Iterable[LdClause], scope: LdScope, path: str) -> Condition:
    """The condition that all of the clauses hold."""
    parts = [
        _condition(clause, scope, f"{path}.clauses[{index}]")
        for index, clause in enumerate(clauses)
    ]
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _condition(clause: LdClause, scope: LdScope, path: str) -> Condition:
    if clause.op == "segmentMatch":
        return _negated(clause, _in_segments(clause, scope.segments, f"{path}.values"))
    steps = _steps(clause, f"{path}.attribute")
    if steps == ("anonymous",) and clause.op == "in":
        return _negated(clause, _anonymous(clause.values))
    if steps == ("key",) and clause.op == "in":
        named = [value for value in clause.values if isinstance(value, str)]
        return _negated(clause, scope.named(named, f"{path}.values"))
    if steps in {("key",), ("kind",), ("anonymous",)}:
        refuse(f"{path}.attribute", f"{steps[0]!r} is no attribute of a unit here")
    found = _compared(clause, steps, path)
    # A missing attribute is never a match, negated or not.
    return AllOf((Clause(steps, Operator.EXISTS), Not(found))) if clause.negate else found


def _negated(clause: LdClause, condition: Condition) -> Condition:
    return Not(condition) if clause.negate else condition


def _in_segments(clause: LdClause, segments: Collection[str], path: str) -> Condition:
    for index, key in enumerate(clause.values):
        if key not in segments:
            refuse(f"{path}[{index}]", f"the segment {key!r} is not there, or was left out")
    return AnyOf(tuple(map(InSegment, clause.values)))


def _anonymous(values: Iterable[Any]) -> Condition:
    """Who is anonymous; without the attribute a context is not."""
    said = Clause(("anonymous",), Operator.IN, (True,))
    matched = [said if value else Not(said) for value in values if isinstance(value, bool)]
    return AnyOf(tuple(matched))


def _steps(clause: LdClause, path: str) -> tuple[str, ...]:
    """The path of an attribute: with a kind of context it is a reference, without one a name."""
    name = clause.attribute
    if not clause.context_kind or not name.startswith("/"):
        steps = [name]
    else:
        steps = name[1:].split("/")
        if any(re.search("~(?![01])", step) for step in steps):
            refuse(path, "in a reference a ~ is followed by 0 or 1")
        steps = [step.replace("~1", "/").replace("~0", "~") for step in steps]
    if not all(steps):
        refuse(path, "the attribute has no name")
    return tuple(steps)


def _compared(clause: LdClause, steps: tuple[str, ...], path: str) -> Condition:
    if clause.op == "in":
        operator, values = Operator.IN, _scalars(clause.values, path)
    elif clause.op in _TEXT:
        operator = _TEXT[clause.op]
        values = [value for value in clause.values if isinstance(value, str)]
    elif clause.op in _NUMERIC:
        operator, values = _NUMERIC[clause.op], _numbers(clause.values, path)
    else:
        why = _DIFFERENT.get(clause.op, "the operator is not known")
        refuse(f"{path}.op", f"{clause.op} has no equal here: {why}")
    if operator is Operator.MATCHES:
        for index, pattern in enumerate(values):
            check_pattern(str(pattern), f"{path}.values[{index}]")
    return Clause(steps, operator, tuple(values)) if values else AnyOf(())


def _scalars(values: Iterable[Any], path: str) -> list[Scalar]:
    return [scalar_of(value, f"{path}.values[{index}]") for index, value in enumerate(values)]


def _numbers(values: Iterable[Any], path: str) -> list[Scalar]:
    return [
        ordered(value, f"{path}.values")
        for value in values
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
