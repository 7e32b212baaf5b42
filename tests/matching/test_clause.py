"""Every operator with its types, lists and edges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.matching.clause import holds, identity
from allotment.model.segment import Clause, Operator, Scalar

BIG = 2**53

HOLDS: list[tuple[Operator, tuple[Scalar, ...], object]] = [
    (Operator.IN, ("SE", "NO"), "NO"),
    (Operator.IN, (1,), 1.0),
    (Operator.IN, (1.0,), 1),
    (Operator.IN, (BIG + 1,), BIG + 1),
    (Operator.IN, (0,), -0.0),
    (Operator.IN, (True,), True),
    (Operator.IN, (True, 1, "1"), "1"),
    (Operator.IN, ("a\ud800",), "a\ud800"),
    (Operator.CONTAINS, ("ell",), "hello"),
    (Operator.CONTAINS, ("",), ""),
    (Operator.STARTS_WITH, ("x", "he"), "hello"),
    (Operator.ENDS_WITH, ("@example.com",), "me@example.com"),
    (Operator.MATCHES, ("^x", "l+"), "hello"),
    (Operator.LESS, (18,), 17.999),
    (Operator.LESS, (BIG + 1,), float(BIG)),
    (Operator.AT_MOST, (18,), 18.0),
    (Operator.GREATER, (float(BIG),), BIG + 1),
    (Operator.GREATER, (18,), float("inf")),
    (Operator.AT_LEAST, (18,), 18),
    (Operator.AT_LEAST, (100, 18), 18),
    (Operator.SEMVER_EQUALS, ("1.2.3",), "1.2.3+build"),
    (Operator.SEMVER_LESS, ("2.0.0",), "2.0.0-rc.1"),
    (Operator.SEMVER_AT_MOST, ("2.0.0",), "2.0.0"),
    (Operator.SEMVER_GREATER, ("1.9.0",), "1.10.0"),
    (Operator.SEMVER_AT_LEAST, ("1.10.0",), "1.10.0"),
]

FAILS: list[tuple[Operator, tuple[Scalar, ...], object]] = [
    (Operator.IN, ("SE", "NO"), "se"),
    (Operator.IN, ("SE",), " SE"),
    (Operator.IN, ("é",), "e\u0301"),
    (Operator.IN, (1,), True),
    (Operator.IN, (True,), 1),
    (Operator.IN, (False,), 0.0),
    (Operator.IN, ("1",), 1),
    (Operator.IN, (BIG + 1,), float(BIG)),
    (Operator.IN, ("nan",), float("nan")),
    (Operator.IN, ("opaque", "OPAQUE"), object()),
    (Operator.CONTAINS, ("ELL",), "hello"),
    (Operator.CONTAINS, ("1",), 11),
    (Operator.STARTS_WITH, ("ello",), "hello"),
    (Operator.ENDS_WITH, ("hell",), "hello"),
    (Operator.MATCHES, ("1",), 1),
    (Operator.MATCHES, (".*",), "a\ud800"),
    (Operator.LESS, (18,), 18),
    (Operator.LESS, (float(BIG),), BIG),
    (Operator.LESS, (18,), "17"),
    (Operator.LESS, (18,), False),
    (Operator.AT_MOST, (18,), float("nan")),
    (Operator.GREATER, (18,), 18),
    (Operator.AT_LEAST, (18,), 17),
    (Operator.AT_LEAST, (0,), True),
    (Operator.SEMVER_EQUALS, ("1.0.0",), "1.0"),
    (Operator.SEMVER_LESS, ("2.0.0",), "2.0.0"),
    (Operator.SEMVER_LESS, ("2.0.0",), 1),
    (Operator.SEMVER_AT_MOST, ("2.0.0",), "v1.0.0"),
    (Operator.SEMVER_GREATER, ("1.9.0",), "1.9.0-rc"),
    (Operator.SEMVER_AT_LEAST, ("1.10.0",), "1.9.0"),
]


def _clause(operator: Operator, values: tuple[Scalar, ...]) -> Clause:
    return Clause(("a",), operator, values)


@pytest.mark.parametrize(("operator", "values", "value"), HOLDS)
def test_a_clause_holds_and_holds_for_a_list_with_that_element(
    operator: Operator, values: tuple[Scalar, ...], value: object
) -> None:
    assert holds(_clause(operator, values), value)
    assert holds(_clause(operator, values), [None, object(), value])
    assert holds(_clause(operator, values), (value,))


@pytest.mark.parametrize(("operator", "values", "value"), FAILS)
def test_a_clause_fails_and_fails_for_a_list_of_that_element(
    operator: Operator, values: tuple[Scalar, ...], value: object
) -> None:
    assert not holds(_clause(operator, values), value)
    assert not holds(_clause(operator, values), [value, value])
    assert not holds(_clause(operator, values), [[value]])
    assert not holds(_clause(operator, values), {"a": value})


def test_both_tables_name_every_operator_that_compares() -> None:
    comparing = set(Operator) - {Operator.EXISTS}
    assert {operator for operator, _, _ in HOLDS} == comparing
    assert {operator for operator, _, _ in FAILS} == comparing


@pytest.mark.parametrize(
    "value", ["", 0, False, object(), b"", {}, [1], ["", None], [], (), [None], [[1]]]
)
def test_exists_holds_for_whatever_is_present(value: object) -> None:
    assert holds(_clause(Operator.EXISTS, ()), value)


@pytest.mark.parametrize("value", [None, float("nan")])
def test_exists_fails_for_what_is_absent(value: object) -> None:
    assert not holds(_clause(Operator.EXISTS, ()), value)


@given(st.floats(allow_nan=False), st.integers())
def test_an_int_and_a_float_compare_exactly(decimal: float, integer: int) -> None:
    below = holds(_clause(Operator.LESS, (integer,)), decimal)
    same = holds(_clause(Operator.IN, (integer,)), decimal)
    above = holds(_clause(Operator.GREATER, (integer,)), decimal)
    assert [below, same, above].count(True) == 1
    assert holds(_clause(Operator.GREATER, (decimal,)), integer) == below


def test_clauses_that_python_calls_equal_are_told_apart() -> None:
    values: list[Scalar] = [1, 1.0, True]
    assert len({identity(_clause(Operator.IN, (value,))) for value in values}) == 3
