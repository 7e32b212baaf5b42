"""Why a unit is no member of a segment: the condition that fails, in words. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from allotment.matching.clause import Compared, compared, kind_of
from allotment.matching.field import lookup
from allotment.matching.index import Index
from allotment.matching.member import Members, is_listed
from allotment.model.segment import (
    AllOf,
    AnyOf,
    Clause,
    Condition,
    InSegment,
    Not,
    Scalar,
    Segment,
)
from allotment.values import OPAQUE, plain, values_of

_CAUSES_MAX: Final = 3
_VALUES_MAX: Final = 3
_NAMES: Final = {
    Compared.TEXT: "text",
    Compared.NUMBER: "a number",
    Compared.BOOLEAN: "a truth value",
}
_PLURALS: Final = {
    Compared.TEXT: "text",
    Compared.NUMBER: "numbers",
    Compared.BOOLEAN: "truth values",
}


def why_not(
    key: str, segments: Mapping[str, Segment], unit: str, attributes: Mapping[str, object] | None
) -> str:
    """The conditions of the segment that fail for a unit that is no member of it."""
    return _Why(Members(segments, unit, attributes, _holds)).segment(segments[key])


class _Why:
    def __init__(self, members: Members) -> None:
        self.members = members

    def segment(self, segment: Segment) -> str:
        if is_listed(self.members.unit, segment.exclude):
            return f"segment {segment.key} excludes the unit"
        if not segment.rules:
            return f"segment {segment.key} does not list the unit"
        return _joined([self.condition(rule) for rule in segment.rules])

    def condition(self, condition: Condition) -> str:
        match condition:
            case Clause():
                return self.clause(condition)
            case AllOf(conditions):
                return next(self.condition(c) for c in conditions if not self.members.holds(c))
            case AnyOf(conditions):
                return _joined([self.condition(each) for each in conditions])
            case Not(Clause() as clause):
                return f"{_asked(clause)} holds, which a `not` refuses"
            case Not():
                return "what a `not` refuses holds"
            case InSegment(key):
                return f"segment {key}: {self.segment(self.members.segments[key])}"

    def clause(self, clause: Clause) -> str:
        value = lookup(self.members.attributes, clause.attribute)
        asked = _asked(clause)
        if plain(value) is None:
            return f"{asked}: it is absent"
        found = list(values_of(value))
        reads = compared(clause)
        kinds = dict.fromkeys(kind_of(each) for each in found if each is not OPAQUE)
        if not kinds:
            return f"{asked}: it is {_article(value)}, in which nothing can be compared"
        if not reads.keys() & kinds.keys():
            return f"{asked}: it is {_named(kinds, ' and ')}, and this compares {_named(reads)}"
        return f"{asked}: it is {_values([each for each in found if each is not OPAQUE])}"


def _holds(clause: Clause, value: object) -> bool:
    return bool(Index([(1, clause)]).bits(values_of(value)))


def never_matches(path: str, held: Compared, clause: Clause) -> str:
    """That the clause holds for no unit, since the column at `path` holds values of one kind."""
    return (
        f"column {path!r} holds {_PLURALS[held]}, and the condition {_asked(clause)} compares "
        f"{_named(compared(clause))}: it holds for no unit. CAST the column"
    )


def _named(kinds: Iterable[Compared], between: str = " or ") -> str:
    return between.join(_NAMES[kind] for kind in kinds)


def _article(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _asked(clause: Clause) -> str:
    said = f"{'.'.join(clause.attribute)} {clause.operator}"
    return f"{said} {_values(clause.values)}" if clause.values else said


def _values(values: list[Scalar] | tuple[Scalar, ...]) -> str:
    shown = [f"{value!r:.60}" for value in values[:_VALUES_MAX]]
    return ", ".join([*shown, "..."] if len(values) > _VALUES_MAX else shown)


def _joined(causes: list[str]) -> str:
    distinct = list(dict.fromkeys(causes))
    shown = [*distinct[:_CAUSES_MAX], "..."] if len(distinct) > _CAUSES_MAX else distinct
    return "; ".join(shown) or "it asks for nothing that can hold"
