"""What engines spell each in a way of its own, and the few forms that expressions are made of.

What all of them have is built with sqlglot, which knows how each spells it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from sqlglot import exp

from allotment.errors import InvalidInput
from allotment.model.hashing import Hash

Expr: TypeAlias = exp.Expr
Build: TypeAlias = Callable[[Expr], Expr]


class Kind(StrEnum):
    """What a column of the table holds. A column of another type makes the statement fail."""

    TEXT = "text"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    UUID = "uuid"


@dataclass(frozen=True, slots=True)
class SqlDialect:
    """One engine.

    name         as sqlglot and `--dialect` name it
    title        as its users name it
    types        the names of the types of each kind that it has, as a pattern
    type_of      the expression that names the type of a column
    is_type      whether that is one of the names
    refuse       from a condition and a message: true, or the statement fails with the message
    hashes       a hash of the UTF-8 of a text: its digits in hexadecimal, or a number for murmur3
    number       the whole number that so many digits in hexadecimal spell
    bytes        how many bytes a text has in UTF-8
    is_nan       whether a float is NaN
    wholes       the least and the greatest number that a literal and a column of whole numbers have
    ends_with    whether a text ends with another
    part         the n-th part of a text, counted from 1, cut at a character
    valid_text   whether a text is UTF-8, where the engine does not see to it itself
    pattern      what stands before a pattern so that RE2 reads it as we do; None: it has not RE2
    bytewise     a text so that it compares by its bytes, whatever its column says
    end          what in a pattern stands for the end of the text
    native       whether it computes `allotment-1`
    fence        whether a subquery needs OFFSET 0 so that what it computes is computed once
    """

    name: str
    title: str
    types: Mapping[Kind, str]
    type_of: Build
    refuse: Callable[[Expr, Expr], Expr]
    hashes: Mapping[Hash, Build]
    number: Callable[[Expr, int], Expr]
    bytes: Build
    is_nan: Build
    wholes: tuple[int, int] = (-(2**63), 2**63 - 1)
    ends_with: Callable[[Expr, str], Expr] = lambda text, end: exp.EndsWith(
        this=text, expression=exp.Literal.string(end)
    )
    part: Callable[[Expr, str, int], Expr] = lambda text, at, place: call(
        "SPLIT_PART", text, exp.Literal.string(at), exp.Literal.number(place)
    )
    is_type: Callable[[Expr, str], Expr] = lambda type_, names: exp.RegexpLike(
        this=type_, expression=exp.Literal.string(names)
    )
    valid_text: Build | None = None
    pattern: str | None = None
    bytewise: Build = lambda argument: argument.copy()
    end: str = "$"
    native: bool = False
    fence: bool = False


def call(name: str, *arguments: Expr) -> Expr:
    """A function of the engine by the name that it has there."""
    return exp.Anonymous(this=name, expressions=[each.copy() for each in arguments])


def one(name: str) -> Build:
    """A function of one argument."""
    return lambda argument: call(name, argument)


def joined(*parts: Expr) -> Expr:
    """Texts as one; NULL where one of them is."""
    found = [each.copy() for each in parts]
    return exp.Concat(expressions=found, safe=False, coalesce=False) if len(found) > 1 else found[0]


def text(value: str) -> Expr:
    """A text as it stands in a statement; raises InvalidInput for one that holds NUL."""
    if "\0" in value:
        raise InvalidInput(f"no statement of SQL holds a NUL, as {value!r} does")
    return exp.Literal.string(value)


def whole(value: int) -> Expr:
    """A whole number as it stands in a statement."""
    return exp.Literal.number(value)
