"""All clauses of a path are answered together, as each would be, at a cost that stays small."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.compile.segment import compile_segment
from allotment.matching.clause import holds
from allotment.matching.field import Field
from allotment.matching.index import Index
from allotment.model.limits import CLAUSE_VALUES_MAX
from allotment.model.segment import Clause, Operator, Scalar, Segment
from allotment.values import values_of
from timing import cpu_seconds

ELEMENTS = 8_000

TEXT = st.text("ab", max_size=5)
VERSION = st.sampled_from(["1.0.0", "1.0.0-a", "1.2.0", "1.10.0", "2.0.0-1", "2.0.0+b", "x", ""])
NUMBER = st.integers(-3, 3) | st.sampled_from([0.5, -1.5, 2.0, 2.0**53, 2**53 + 1])
VALUES = {
    Operator.IN: TEXT | NUMBER | st.booleans(),
    Operator.EXISTS: st.nothing(),
    Operator.MATCHES: st.sampled_from(["a", "^b", "ab$", "^$", "a+b", "[^a]"]),
    **dict.fromkeys((Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH), TEXT),
    **{o: NUMBER for o in Operator if o in ("less_than", "at_most", "greater_than", "at_least")},
    **{o: VERSION.filter(lambda v: "." in v) for o in Operator if o.startswith("semver")},
}
CLAUSE = st.sampled_from(list(Operator)).flatmap(
    lambda operator: st.lists(
        VALUES[operator],
        min_size=operator is not Operator.EXISTS,
        max_size=0 if operator is Operator.EXISTS else 25,
    ).map(lambda values: Clause(("a",), operator, tuple(values)))
)
VALUE = TEXT | NUMBER | VERSION | st.booleans() | st.none() | st.just(float("nan"))


@given(st.lists(CLAUSE, max_size=12), VALUE | st.lists(VALUE, max_size=30))
def test_clauses_are_answered_together_as_each_would_be(
    clauses: list[Clause], value: object
) -> None:
    found = Index((1 << place, clause) for place, clause in enumerate(clauses)).bits(
        values_of(value)
    )
    assert found == sum(holds(clause, value) << place for place, clause in enumerate(clauses))


@given(st.lists(st.text("ab", max_size=5), min_size=17, max_size=60), st.text("ab", max_size=40))
def test_many_texts_are_looked_for_in_one_walk(values: list[str], text: str) -> None:
    clauses = [Clause(("a",), Operator.CONTAINS, tuple(values[start::3])) for start in range(3)]
    found = Index((1 << place, clause) for place, clause in enumerate(clauses)).bits([text])
    assert found == sum(holds(clause, text) << place for place, clause in enumerate(clauses))


NUMBERS: tuple[Scalar, ...] = tuple(range(10**6, 10**6 + CLAUSE_VALUES_MAX))
TEXTS: tuple[Scalar, ...] = tuple(f"x{number}y" for number in range(CLAUSE_VALUES_MAX))
VERSIONS: tuple[Scalar, ...] = tuple(f"1.{number}.0-rc" for number in range(CLAUSE_VALUES_MAX))


@pytest.mark.parametrize(
    ("operator", "values", "elements"),
    [
        (Operator.IN, TEXTS, [f"{n:05d}" for n in range(ELEMENTS)]),
        (Operator.STARTS_WITH, TEXTS, [f"x{n}z" for n in range(ELEMENTS)]),
        (Operator.ENDS_WITH, TEXTS, [f"z{n}y" for n in range(ELEMENTS)]),
        (Operator.CONTAINS, TEXTS, [f"x{n}z" for n in range(ELEMENTS)]),
        (Operator.AT_LEAST, NUMBERS, list(range(ELEMENTS))),
        (Operator.AT_MOST, NUMBERS, list(range(10**7, 10**7 + ELEMENTS))),
        (Operator.SEMVER_EQUALS, VERSIONS, [f"1.{n}.0" for n in range(ELEMENTS)]),
        (Operator.SEMVER_GREATER, VERSIONS, [f"0.{n}.0" for n in range(ELEMENTS)]),
    ],
)
@pytest.mark.parametrize("clauses", [1, 100])
def test_a_long_list_against_many_values_and_clauses_takes_milliseconds(
    operator: Operator, values: tuple[Scalar, ...], elements: list[object], clauses: int
) -> None:
    size = len(values) // clauses
    rules = [Clause(("a",), operator, values[n * size : (n + 1) * size]) for n in range(clauses)]
    segment = compile_segment(Segment("s", rules=tuple(rules)), {}).kernel
    found: list[bool] = []
    seconds = cpu_seconds(lambda: found.append(segment.matches("unit", {"a": elements})))
    assert found == [False]
    assert seconds < 0.2
    fields: list[Field] = []
    words = 1 + clauses // 64
    seconds += cpu_seconds(lambda: fields.append(Field(("a",), tuple(enumerate(rules)), words)))
    work = fields[0].index.work
    assert seconds < work.once + len(elements) * work.value


@pytest.mark.memory
@pytest.mark.parametrize("patterns", [1, 20, 100])
@pytest.mark.parametrize("length", [2, 60])
def test_the_work_covers_many_patterns_and_short_values(patterns: int, length: int) -> None:
    rules = [Clause(("a",), Operator.MATCHES, (f"(a|b{n})+x.*z{n}",)) for n in range(patterns)]
    index = Index(enumerate(rules))
    values = [f"{n:0{length}d}" for n in range(500)]
    seconds = cpu_seconds(lambda: index.bits(values))
    assert 1e9 * seconds < index.work.cost(len(values), length * len(values))
