"""One clause as a condition of SQL that is TRUE or FALSE, never NULL, exactly where it holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

from sqlglot import exp

from allotment.errors import InvalidInput
from allotment.matching.clause import NUMBER_TESTS, SEMVER_TESTS
from allotment.model.limits import SUBJECT_CHARACTERS_MAX
from allotment.model.segment import Clause, Operator
from allotment.sql.columns import Attribute
from allotment.sql.dialect import Expr, Kind, SqlDialect, text, whole
from allotment.sql.version import version_holds

_BELOW: Final = (Operator.LESS, Operator.AT_MOST)

# Both the digits and the power of ten that they are divided by are floats then: every engine reads
# such a number alike.
_DIGITS_MAX: Final = 15
_PLACES_MAX: Final = 22


def clause_holds(clause: Clause, attribute: Attribute | None, dialect: SqlDialect) -> Expr:
    """Whether the clause holds for the attribute; False for one that is NULL or absent.

    Raises InvalidInput where the engine cannot decide it as we do.
    """
    if attribute is None:
        return exp.false()
    column, kind = attribute
    asked = clause.operator
    if asked is Operator.EXISTS:
        test: Expr = exp.true()
    elif kind is Kind.BOOLEAN:
        test = _boolean(clause, column)
    elif kind is Kind.INTEGER:
        test = _integer(clause, column, dialect)
    elif kind is Kind.FLOAT:
        test = _float(clause, column)
    else:
        test = _text(clause, column, dialect)
    if isinstance(test, exp.Boolean) and not test.this:
        return test
    present = exp.not_(column.is_(exp.null()))
    return present if isinstance(test, exp.Boolean) else exp.and_(present, test, copy=False)


def any_of(tests: Iterable[Expr]) -> Expr:
    """TRUE where one of the conditions is; of none, FALSE."""
    return _joined(exp.or_, tests, end=True)


def all_of(tests: Iterable[Expr]) -> Expr:
    """TRUE where all of the conditions are; of none, TRUE."""
    return _joined(exp.and_, tests, end=False)


def negated(test: Expr) -> Expr:
    """TRUE where the condition is FALSE."""
    return exp.Boolean(this=not test.this) if isinstance(test, exp.Boolean) else exp.not_(test)


def _joined(join: Callable[..., Expr], tests: Iterable[Expr], *, end: bool) -> Expr:
    """The conditions but for constants: one that is `end` decides, the others say nothing."""
    left = []
    for test in tests:
        if not isinstance(test, exp.Boolean):
            left.append(test)
        elif test.this is end:
            return exp.Boolean(this=end)
    return join(*left, copy=False) if left else exp.Boolean(this=not end)


def one_of(column: Expr, values: Iterable[Expr]) -> Expr:
    """Equal to one of the values; FALSE where there are none."""
    found = list(values)
    return exp.In(this=column.copy(), expressions=found) if found else exp.false()


def _boolean(clause: Clause, column: Expr) -> Expr:
    if clause.operator is not Operator.IN:
        return exp.false()
    wanted = {value for value in clause.values if isinstance(value, bool)}
    if len(wanted) != 1:
        return exp.Boolean(this=bool(wanted))
    return exp.EQ(this=column.copy(), expression=exp.Boolean(this=wanted.pop()))


def _text(clause: Clause, column: Expr, dialect: SqlDialect) -> Expr:
    values = [value for value in clause.values if isinstance(value, str)]
    if clause.operator in NUMBER_TESTS or not values:
        return exp.false()
    test = _text_test(clause.operator, values, column, dialect)
    # What is not UTF-8 is no text; a text of the catalog is, so equality needs no such check.
    if dialect.valid_text and clause.operator is not Operator.IN:
        test = all_of([dialect.valid_text(column), test])
    return test


def _text_test(asked: Operator, values: list[str], column: Expr, dialect: SqlDialect) -> Expr:
    if asked is Operator.IN:
        return one_of(column, map(text, values))
    if asked in SEMVER_TESTS:
        return any_of(version_holds(asked, value, column, dialect) for value in values)
    if asked is Operator.MATCHES:
        return _matches(values, column, dialect)
    if "" in values:  # every text holds the empty one
        return exp.true()
    if asked is Operator.ENDS_WITH:
        return any_of(dialect.ends_with(column, value) for value in values)
    if asked is Operator.STARTS_WITH:
        return any_of(exp.StartsWith(this=column.copy(), expression=text(v)) for v in values)
    places = (exp.StrPosition(this=column.copy(), substr=text(value)) for value in values)
    return any_of(exp.GT(this=place, expression=whole(0)) for place in places)


def _matches(patterns: list[str], column: Expr, dialect: SqlDialect) -> Expr:
    if dialect.pattern is None:
        raise InvalidInput(
            f"{dialect.title} has patterns of another language than RE2, which `matches` is in;"
            " use `in`, `starts_with`, `ends_with` or `contains`"
        )
    found = any_of(
        exp.RegexpLike(this=column.copy(), expression=text(f"{dialect.pattern}{pattern}"))
        for pattern in patterns
    )
    size = exp.LTE(this=exp.Length(this=column.copy()), expression=whole(SUBJECT_CHARACTERS_MAX))
    return all_of([size, found])


def _numbers(clause: Clause) -> list[float]:
    return [value for value in clause.values if not isinstance(value, str | bool)]


def _integer(clause: Clause, column: Expr, dialect: SqlDialect) -> Expr:
    """Compares with whole numbers alone: 17.5 is above 17 and below 18."""
    numbers, asked = _numbers(clause), clause.operator
    least, greatest = dialect.wholes
    if asked is Operator.IN:
        equal = sorted({int(each) for each in numbers if each == math.floor(each)})
        return one_of(column, (whole(each) for each in equal if least <= each <= greatest))
    if asked not in NUMBER_TESTS or not numbers:
        return exp.false()
    if asked in _BELOW:
        bound = max(numbers)
        top = math.ceil(bound) - 1 if asked is Operator.LESS else math.floor(bound)
        if not least <= top < greatest:
            return exp.Boolean(this=top >= greatest)
        return exp.LTE(this=column.copy(), expression=whole(top))
    bound = min(numbers)
    bottom = math.floor(bound) + 1 if asked is Operator.GREATER else math.ceil(bound)
    if not least < bottom <= greatest:
        return exp.Boolean(this=bottom <= least)
    return exp.GTE(this=column.copy(), expression=whole(bottom))


def _float(clause: Clause, column: Expr) -> Expr:
    """Compares with floats alone: a whole number that is none is replaced by its neighbour."""
    numbers, asked = _numbers(clause), clause.operator
    if asked is Operator.IN:
        return one_of(column, [_double(each) for each in numbers if _nearest(each) == each])
    if asked not in NUMBER_TESTS or not numbers:
        return exp.false()
    bound = max(numbers) if asked in _BELOW else min(numbers)
    near = _nearest(bound)
    if near != bound:  # then no float is equal, and the next one on that side is in
        away = -math.inf if asked in _BELOW else math.inf
        near = near if (near < bound) is (asked in _BELOW) else math.nextafter(near, away)
        asked = Operator.AT_MOST if asked in _BELOW else Operator.AT_LEAST
    return _COMPARE[asked](this=column.copy(), expression=_double(near))


_COMPARE: Final[dict[Operator, type[exp.Binary]]] = {
    Operator.LESS: exp.LT,
    Operator.AT_MOST: exp.LTE,
    Operator.GREATER: exp.GT,
    Operator.AT_LEAST: exp.GTE,
}


def _nearest(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.copysign(math.inf, number)


def _double(number: float) -> Expr:
    """A float as a constant that every engine reads as that very float."""
    value = float(number)
    if value.is_integer() and abs(value) < 2**63:
        return exp.cast(whole(int(value)), "double")
    exact = Decimal(repr(value)) if abs(value) < 2**63 else None
    places = f"{exact or 0:f}".partition(".")[2]
    if exact is None or len(exact.as_tuple().digits) > _DIGITS_MAX or len(places) > _PLACES_MAX:
        raise InvalidInput(
            f"not every engine reads {number!r} alike: a number that floats are compared with is"
            f" below 2^63, and has at most {_DIGITS_MAX} digits if it is not whole"
        )
    return exp.cast(exp.Literal.number(f"{exact:f}"), "double")
