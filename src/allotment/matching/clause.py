"""One clause: whether a comparison holds for a value, and which kinds of value it compares."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Iterable, Iterator
from enum import Enum
from typing import Final, TypeAlias

from allotment.matching.pattern import compile_pattern
from allotment.matching.semver import Precedence, precedence
from allotment.model.segment import Clause, Operator, Scalar
from allotment.values import Value, values_of

Test: TypeAlias = Callable[[Value], bool]

TEXT_TESTS: Final[dict[Operator, Callable[[str, str], bool]]] = {
    Operator.CONTAINS: operator.contains,
    Operator.STARTS_WITH: str.startswith,
    Operator.ENDS_WITH: str.endswith,
}
# Python compares int with float exactly: 2**53 + 1 is more than 2.0**53.
NUMBER_TESTS: Final[dict[Operator, Callable[[float, float], bool]]] = {
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.GREATER: operator.gt,
    Operator.AT_LEAST: operator.ge,
}
SEMVER_TESTS: Final[dict[Operator, Callable[[Precedence, Precedence], bool]]] = {
    Operator.SEMVER_EQUALS: operator.eq,
    Operator.SEMVER_LESS: operator.lt,
    Operator.SEMVER_AT_MOST: operator.le,
    Operator.SEMVER_GREATER: operator.gt,
    Operator.SEMVER_AT_LEAST: operator.ge,
}


def holds(clause: Clause, value: object) -> bool:
    """Whether the clause holds for a value that is present and not None; of a list, any element."""
    return any(map(test_of(clause), values_of(value)))


def test_of(clause: Clause) -> Test:
    """The clause as a test of one value. It says what a clause means; `Index` is what is fast.

    Raises InvalidInput for a pattern that RE2 does not take. A value of a type that the operator
    does not compare is dropped here: `matching.check` has refused it before.
    """
    if clause.operator is Operator.EXISTS:
        return _always
    if clause.operator is Operator.IN:
        return _one_of(clause.values)
    if clause.operator is Operator.MATCHES:
        patterns = [compile_pattern(each) for each in clause.values if isinstance(each, str)]
        return lambda value: isinstance(value, str) and any(each.holds(value) for each in patterns)
    if clause.operator in NUMBER_TESTS:
        return _compares_number(NUMBER_TESTS[clause.operator], clause.values)
    if clause.operator in SEMVER_TESTS:
        return _compares_version(SEMVER_TESTS[clause.operator], clause.values)
    return _compares_text(TEXT_TESTS[clause.operator], clause.values)


def identity(clause: Clause) -> Hashable:
    """What two clauses share if they ask the same: Python takes 1, 1.0 and True for one value."""
    return clause.attribute, clause.operator, clause.values, tuple(map(type, clause.values))


def _always(_: Value) -> bool:
    return True


def _one_of(values: tuple[Scalar, ...]) -> Test:
    flags = frozenset(value for value in values if isinstance(value, bool))
    others = frozenset(value for value in values if not isinstance(value, bool))
    return lambda value: value in (flags if isinstance(value, bool) else others)


def _compares_text(compare: Callable[[str, str], bool], values: tuple[Scalar, ...]) -> Test:
    texts = [each for each in values if isinstance(each, str)]
    return lambda value: isinstance(value, str) and any(compare(value, each) for each in texts)


def _compares_number(compare: Callable[[float, float], bool], values: tuple[Scalar, ...]) -> Test:
    numbers = [each for each in values if not isinstance(each, str | bool)]
    return lambda value: (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and any(compare(value, each) for each in numbers)
    )


def _compares_version(
    compare: Callable[[Precedence, Precedence], bool], values: tuple[Scalar, ...]
) -> Test:
    versions = [precedence(each) for each in values if isinstance(each, str)]

    def test(value: Value) -> bool:
        version = precedence(value) if isinstance(value, str) else None
        return version is not None and any(compare(version, each) for each in versions if each)

    return test


class Compared(Enum):
    """A kind of value that an attribute is compared with; a file without types is read by it."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"


def kind_of(value: object) -> Compared:
    """The kind of a value that a clause can compare."""
    if isinstance(value, str):
        return Compared.TEXT
    return Compared.BOOLEAN if isinstance(value, bool) else Compared.NUMBER


def compared(clause: Clause) -> dict[Compared, None]:
    """The kinds that the clause can hold for, in the order of its values; none: any value."""
    return dict.fromkeys(map(kind_of, clause.values))


def unmatched(clauses: Iterable[Clause], held: Compared) -> Iterator[Clause]:
    """The clauses that hold for no value of the kind `held`."""
    for clause in clauses:
        kinds = compared(clause)
        if kinds and held not in kinds:
            yield clause
