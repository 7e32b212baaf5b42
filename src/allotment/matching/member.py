"""Whether a unit is a member of a segment, evaluated straight from the noun."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from allotment.matching.clause import holds
from allotment.matching.field import lookup
from allotment.model.segment import AllOf, AnyOf, Clause, Condition, IdList, InSegment, Not, Segment


class Members:
    """The segments that one unit is a member of; each is found out once."""

    def __init__(
        self,
        segments: Mapping[str, Segment],
        unit: str,
        attributes: Mapping[str, object] | None,
        holds: Callable[[Clause, object], bool] = holds,
    ) -> None:
        self.segments = segments
        self.unit = unit
        self.attributes = attributes
        self.known: dict[str, bool] = {}
        self._clause_holds = holds

    def has(self, key: str) -> bool:
        """Whether the unit is in the segment: included, or else not excluded and a rule holds."""
        if key not in self.known:
            segment = self.segments[key]
            self.known[key] = is_listed(self.unit, segment.include) or (
                not is_listed(self.unit, segment.exclude)
                and any(self.holds(rule) for rule in segment.rules)
            )
        return self.known[key]

    def holds(self, condition: Condition) -> bool:
        """Whether a condition holds; a clause on what is missing or None does not."""
        match condition:
            case Clause(path):
                value = lookup(self.attributes, path)
                return value is not None and self._clause_holds(condition, value)
            case AllOf(conditions):
                return all(self.holds(each) for each in conditions)
            case AnyOf(conditions):
                return any(self.holds(each) for each in conditions)
            case Not(inner):
                return not self.holds(inner)
            case InSegment(key):
                return self.has(key)


def is_listed(unit: str, ids: IdList) -> bool:
    """Whether a unit key is one of the lines of the list."""
    return "\n" not in unit and f"\n{unit}\n".encode() in b"\n%b\n" % ids.text
