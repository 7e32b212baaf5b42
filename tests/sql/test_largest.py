"""What is as large as a catalog may have it is written, planned and answered."""

from __future__ import annotations

import pytest

from allotment import Catalog, Engine, InvalidInput, sql
from allotment.compile import compile_catalog
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
from sqlagreeing import Bout
from sqlengines import SqlEngine
from sqlone import SLOTS, one_experiment
from sqlworld import COUNTRY, EMAIL, said


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


def _diamonds(levels: int) -> Catalog:
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
    "diamonds": lambda: _diamonds(9),
}


@pytest.fixture(scope="module")
def bout(engine: SqlEngine) -> Bout:
    return Bout(engine, "largest", 2_000)


@pytest.mark.parametrize("what", LARGEST)
def test_the_largest_is_the_kernels(bout: Bout, what: str) -> None:
    engine = Engine(compile_catalog(LARGEST[what]()), note=None)
    query = sql.select(
        engine,
        "e",
        dialect=bout.sql.dialect,
        table="units",
        unit="unit",
        columns=said(engine.catalog),
        keep=["row"],
    )
    bout.ask(what, engine, "e", query, {})


def test_segments_that_refer_to_each_other_on_too_many_paths_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"1,000 paths.* - at \$\.segments\.s9"):
        sql.select(_diamonds(30), "e", dialect="duckdb", table="units", unit="unit")
