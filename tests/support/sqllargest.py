"""Catalogs that are as large as they may be, for SQL."""

from __future__ import annotations

from allotment import Catalog
from allotment.model.experiment import Allocation
from allotment.model.limits import (
    ALLOCATIONS_MAX,
    CLAUSE_VALUES_MAX,
    CONDITION_DEPTH_MAX,
    RANGES_MAX,
    RULES_MAX,
)
from allotment.model.segment import (
    AllOf,
    AnyOf,
    Clause,
    Condition,
    InSegment,
    Not,
    Operator,
    Segment,
)
from allotment.model.slots import Slot
from allotment.sql.lists import INLINE_MAX
from sqlone import SLOTS, one_experiment
from sqlworld import COUNTRY, EMAIL


def _slots() -> Catalog:
    slots = tuple(
        Slot(start, start + 900 - start % 7, ("control", "green")[start // 900 % 2])
        for start in range(0, 900 * RANGES_MAX, 900)
    )
    allocation = Allocation("all", (("control", 1), ("green", 1)), 2, slots=slots)
    return one_experiment(iteration={"allocations": (allocation,)})


def _rules() -> Catalog:
    texts = (f"{number:x}" for number in range(RULES_MAX))
    return one_experiment(*(Clause(EMAIL, Operator.CONTAINS, (text,)) for text in texts))


def _values() -> Catalog:
    values = ("SE", *(f"c{number}" for number in range(CLAUSE_VALUES_MAX - 1)))
    return one_experiment(Clause(COUNTRY, Operator.IN, values))


def _depth() -> Catalog:
    rule: Condition = Clause(COUNTRY, Operator.IN, ("SE",))
    for level in range(CONDITION_DEPTH_MAX - 1):
        other = Clause(EMAIL, Operator.CONTAINS, (str(level),))
        rule = Not(AllOf((rule,))) if level % 2 else AnyOf((rule, other))
    return one_experiment(rule)


def _allocations() -> Catalog:
    segments = [
        Segment(f"s{n}", rules=(Clause(EMAIL, Operator.STARTS_WITH, (chr(n + 60),)),))
        for n in range(ALLOCATIONS_MAX)
    ]
    allocations = tuple(
        Allocation(f"a{n}", (("control", 1),), 1, segment=f"s{n}", priority=n + 1, slots=SLOTS)
        for n in range(ALLOCATIONS_MAX)
    )
    return one_experiment(segments=segments, iteration={"allocations": allocations})


def _overrides() -> Catalog:
    units = sorted(str(number) for number in range(INLINE_MAX))
    return one_experiment(overrides=tuple((unit, "green") for unit in units))


def diamonds(levels: int) -> Catalog:
    """Each segment refers twice to the one below it."""
    segments = [Segment("s0", rules=(Clause(EMAIL, Operator.CONTAINS, ("a",)),))]
    for level in range(1, levels):
        below = InSegment(f"s{level - 1}")
        clause = Clause(EMAIL, Operator.CONTAINS, (str(level),))
        rules = (AllOf((below, Not(clause))), AllOf((Not(below), clause)))
        segments.append(Segment(f"s{level}", rules=rules))
    return one_experiment(segments=segments, iteration={"audience": f"s{levels - 1}"})


LARGEST = {
    "slots": _slots,
    "rules": _rules,
    "values": _values,
    "depth": _depth,
    "allocations": _allocations,
    "overrides": _overrides,
    "diamonds": lambda: diamonds(9),
}
