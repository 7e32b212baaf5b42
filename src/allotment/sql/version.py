"""Semantic versions in SQL: cut into numbers that compare as texts, first by their length."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from allotment.errors import InvalidInput
from allotment.matching.semver import precedence
from allotment.model.segment import Operator
from allotment.sql.dialect import Expr, SqlDialect, text, whole

_NUMBER: Final = "(0|[1-9][0-9]*)"
_WORD: Final = "[0-9A-Za-z-]+"
_IDENTIFIER: Final = "(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"

# No backslash, and nothing that languages of patterns read each in its own way.
_VERSION: Final = (
    f"^{_NUMBER}[.]{_NUMBER}[.]{_NUMBER}"
    f"(-{_IDENTIFIER}([.]{_IDENTIFIER})*)?([+]{_WORD}([.]{_WORD})*)?"
)


def version_holds(asked: Operator, value: str, column: Expr, dialect: SqlDialect) -> Expr:
    """Whether a text is a version, and compares so with `value`.

    Raises InvalidInput where `value` is a pre-release, whose parts no constant number of
    comparisons orders.
    """
    found = precedence(value)
    assert found is not None, "it was checked when the catalog came in"
    numbers, is_release, _ = found
    if not is_release:
        raise InvalidInput(
            f"SQL does not order the pre-releases of one version, as {value!r} is; compare with the"
            " version before or after it"
        )
    core = dialect.part(dialect.part(dialect.part(column, ".", 3), "-", 1), "+", 1)
    parts = [dialect.part(column, ".", 1), dialect.part(column, ".", 2), core]
    bounds = [digits for _, digits in numbers]
    equal = exp.and_(*map(_equal, parts, bounds), copy=False)
    before = dialect.part(column, "+", 1)
    is_pre = exp.GT(
        this=exp.StrPosition(this=before, substr=exp.Literal.string("-")), expression=whole(0)
    )
    pattern = text(f"{_VERSION}{dialect.end}")
    is_version = exp.RegexpLike(this=column.copy(), expression=pattern)
    return exp.and_(is_version, _compared(asked, parts, bounds, equal, is_pre), copy=False)


def _compared(
    asked: Operator, parts: list[Expr], bounds: list[str], equal: Expr, is_pre: Expr
) -> Expr:
    """A pre-release comes before its version, and after every lower one."""
    if asked is Operator.SEMVER_EQUALS:
        return exp.and_(equal, exp.not_(is_pre), copy=False)
    if asked is Operator.SEMVER_LESS:
        return exp.or_(_beyond(exp.LT, parts, bounds), exp.and_(equal, is_pre), copy=False)
    if asked is Operator.SEMVER_AT_MOST:
        return exp.or_(_beyond(exp.LT, parts, bounds), equal, copy=False)
    beyond = _beyond(exp.GT, parts, bounds)
    if asked is Operator.SEMVER_GREATER:
        return beyond
    return exp.or_(beyond, exp.and_(equal, exp.not_(is_pre)), copy=False)


def _equal(part: Expr, bound: str) -> Expr:
    return exp.EQ(this=part.copy(), expression=text(bound))


def _beyond(compare: type[exp.Binary], parts: list[Expr], bounds: list[str]) -> Expr:
    """Whether the first number that differs is on that side."""
    part, bound = parts[0], bounds[0]
    size = exp.Length(this=part.copy())
    same = exp.EQ(this=size.copy(), expression=whole(len(bound)))
    found = exp.or_(
        compare(this=size, expression=whole(len(bound))),
        exp.and_(same, compare(this=part.copy(), expression=text(bound))),
        copy=False,
    )
    if len(parts) == 1:
        return found
    later = exp.and_(_equal(part, bound), _beyond(compare, parts[1:], bounds[1:]), copy=False)
    return exp.or_(found, later, copy=False)
