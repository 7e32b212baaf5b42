"""Segments in SQL: one condition each; what another one refers to is computed a level before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from allotment.errors import InvalidInput
from allotment.matching.program import closure
from allotment.model.segment import AllOf, AnyOf, Clause, Condition, InSegment, Not, Segment
from allotment.sql.clause import all_of, any_of, clause_holds, negated
from allotment.sql.columns import PREFIX, Attribute
from allotment.sql.dialect import Expr, SqlDialect
from allotment.sql.lists import UnitLists

# ClickHouse takes a column apart wherever it is used, and plans each path by itself: so many take
# half a second, and twenty times as many all memory.
PATHS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Membership:
    """What is needed to say who is a member: the unit, its lists and its attributes."""

    unit: Expr
    lists: UnitLists
    attributes: Mapping[tuple[str, ...], Attribute | None]
    places: Mapping[str, int]
    dialect: SqlDialect

    def column(self, key: str) -> Expr:
        """The column that says whether a unit is in the segment."""
        return exp.column(f"{PREFIX}s{self.places[key]}")

    def named(self, segment: Segment) -> Expr:
        """Whether a unit is in a segment, as that column."""
        return exp.alias_(self.of(segment), self.column(segment.key).name)

    def of(self, segment: Segment) -> Expr:
        """Included; or else not excluded, and one of the rules holds."""
        included = self.lists.holds(f"segment/{segment.key}/include", self.unit)
        excluded = self.lists.holds(f"segment/{segment.key}/exclude", self.unit)
        try:
            ruled = any_of(self._condition(rule) for rule in segment.rules)
        except InvalidInput as error:
            place = error.path or f"$.segments.{segment.key}"
            raise InvalidInput(error.message, place) from None
        return any_of([included, all_of([negated(excluded), ruled])])

    def _condition(self, condition: Condition) -> Expr:
        match condition:
            case Clause(path):
                return clause_holds(condition, self.attributes[path], self.dialect)
            case AllOf(conditions):
                return all_of(map(self._condition, conditions))
            case AnyOf(conditions):
                return any_of(map(self._condition, conditions))
            case Not(inner):
                return negated(self._condition(inner))
            case InSegment(key):
                return self.column(key)


def segments_asked(keys: Iterable[str], segments: Mapping[str, Segment]) -> list[Segment]:
    """These segments and all they refer to, each once, after those that it refers to itself.

    Raises InvalidInput for one that refers to others on too many paths.
    """
    found: dict[str, Segment] = {}
    for key in keys:
        found |= {each.key: each for each in closure(segments[key], segments)}
    paths: dict[str, int] = {}
    for segment in found.values():
        below = (paths[each.segment] for each in _parts(segment) if isinstance(each, InSegment))
        paths[segment.key] = 1 + sum(below)
        if paths[segment.key] > PATHS_MAX:
            raise InvalidInput(
                f"it refers to segments on more than {PATHS_MAX:,} paths, of which an engine may"
                " compute each by itself",
                f"$.segments.{segment.key}",
            )
    return list(found.values())


def levels_of(asked: list[Segment]) -> list[list[Segment]]:
    """The segments by how deep what they refer to goes: each level needs those before it alone."""
    depth: dict[str, int] = {}
    for segment in asked:
        below = (depth[each.segment] + 1 for each in _parts(segment) if isinstance(each, InSegment))
        depth[segment.key] = max(below, default=0)
    count = max(depth.values(), default=-1) + 1
    return [[each for each in asked if depth[each.key] == level] for level in range(count)]


def clauses_of(asked: Iterable[Segment]) -> Iterator[Clause]:
    """Every clause of the segments."""
    return (each for segment in asked for each in _parts(segment) if isinstance(each, Clause))


def _parts(segment: Segment) -> Iterator[Condition]:
    stack = list(reversed(segment.rules))
    while stack:
        condition = stack.pop()
        yield condition
        match condition:
            case AllOf(conditions) | AnyOf(conditions):
                stack.extend(reversed(conditions))
            case Not(inner):
                stack.append(inner)
            case _:
                pass
