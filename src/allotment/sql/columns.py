"""The columns of the table of units: what the caller says of them, and how they are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from allotment.errors import InvalidInput, did_you_mean
from allotment.matching.clause import Compared, compared
from allotment.model.limits import UNIT_KEY_BYTES_MAX
from allotment.model.segment import Clause
from allotment.sql.dialect import Expr, Kind, SqlDialect, joined, text, whole

# Every name that the statement gives on its way begins with this, and no column of the table does.
PREFIX: Final = "allotment_"

_INFERRED: Final = {Compared.TEXT: Kind.TEXT, Compared.BOOLEAN: Kind.BOOLEAN}


class SqlColumn(NamedTuple):
    """A column of the table, or an expression over columns, and what it holds."""

    expression: Expr
    kind: Kind | None
    said: str

    @property
    def name(self) -> str | None:
        """Its own name, where it is a column."""
        return self.expression.name if isinstance(self.expression, exp.Column) else None


class Attribute(NamedTuple):
    """An attribute as the statement has it: under a name of its own, with its kind."""

    column: Expr
    kind: Kind


@dataclass(frozen=True, slots=True)
class ReadColumns:
    """What is read of the table: expressions under their names, and what must hold of their types.

    attributes  by path; None for one that no unit has
    read        the expressions, named
    gates       a condition for each column that has a type
    """

    attributes: Mapping[tuple[str, ...], Attribute | None]
    read: tuple[Expr, ...]
    gates: tuple[Expr, ...]


def column_of(said: str, dialect: SqlDialect) -> SqlColumn:
    """A column as it is said: an expression of the engine's SQL, and ":KIND" behind it or not."""
    expression, colon, kind = said.rpartition(":")
    known = bool(colon) and kind in Kind.__members__.values() and not expression.endswith(":")
    sql = expression if known else said
    try:
        parsed = sqlglot.parse_one(sql, read=dialect.name)
    except SqlglotError as error:
        reason = str(error).splitlines()[0]
        raise InvalidInput(f"{sql!r} is no column of {dialect.title}: {reason}") from None
    if isinstance(parsed, exp.Alias | exp.Query | exp.Block | exp.Star):
        raise InvalidInput(f"{sql!r} is no column: it is one column, or an expression over some")
    for each in parsed.find_all(exp.Identifier):
        if each.name.lower().startswith(PREFIX):
            raise InvalidInput(f"{sql!r} begins as the statement's own names do: {PREFIX}")
    return SqlColumn(parsed, Kind(kind) if known else None, sql)


def check_known(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise InvalidInput for the first name that is none of those known."""
    names = sorted(known)
    for name in given:
        if name not in names:
            raise InvalidInput(
                f"there is no {what} {name!r}{did_you_mean(name, names)}; there are:"
                f" {', '.join(names) or 'none'}"
            )


def table_of(said: str, dialect: SqlDialect) -> Expr:
    """A table by its name as the engine's SQL has it."""
    try:
        return exp.to_table(said, dialect=dialect.name)
    except (SqlglotError, ValueError):
        raise InvalidInput(f"{said!r} is no name of a table of {dialect.title}") from None


def unit_text(unit: SqlColumn, dialect: SqlDialect) -> tuple[Expr, Expr]:
    """The text of a unit's key, NULL where the column names none; and what its type must be."""
    kind = unit.kind or Kind.TEXT
    gate = type_gate(unit.expression, kind, f"the units in {unit.said}", dialect)
    if kind in (Kind.INTEGER, Kind.UUID):
        return dialect.bytewise(exp.cast(unit.expression.copy(), "text")), gate
    if kind is not Kind.TEXT:
        raise InvalidInput(f"units are text, integer or uuid; {kind} has no one spelling")
    size = exp.Between(
        this=dialect.bytes(unit.expression.copy()), low=whole(1), high=whole(UNIT_KEY_BYTES_MAX)
    )
    valid = dialect.valid_text
    is_key = exp.and_(size, valid(unit.expression.copy())) if valid else size
    return exp.Case(ifs=[exp.If(this=is_key, true=dialect.bytewise(unit.expression))]), gate


def columns_of(
    clauses: Iterable[Clause],
    given: Mapping[str, str | None],
    known: Iterable[Clause],
    dialect: SqlDialect,
) -> ReadColumns:
    """The columns of the attributes that the clauses look at; `given` is by dotted path.

    Raises InvalidInput for an attribute that none of the clauses in `known` looks at.
    """
    check_known("attribute", given, {".".join(clause.attribute) for clause in known})
    asked: dict[tuple[str, ...], list[Clause]] = {}
    for clause in clauses:
        asked.setdefault(clause.attribute, []).append(clause)
    paths = {".".join(path): path for path in asked}
    attributes: dict[tuple[str, ...], Attribute | None] = {}
    read, gates = [], []
    for place, (name, path) in enumerate(paths.items()):
        said = given.get(name, name if len(path) == 1 else "")
        if said is None:
            attributes[path] = None
            continue
        if not said:
            raise InvalidInput(f"say which column has the attribute {name!r}, as in {name}=COLUMN")
        column = column_of(said, dialect)
        kind = column.kind or _kind_of(name, asked[path], column)
        internal = f"{PREFIX}a{place}"
        attributes[path] = Attribute(exp.column(internal), kind)
        gate = type_gate(column.expression, kind, f"{name!r} in {column.said}", dialect)
        gates.append(gate)
        read.append(exp.alias_(_read(column.expression, kind, dialect), internal))
    return ReadColumns(attributes, tuple(read), tuple(gates))


def _read(expression: Expr, kind: Kind, dialect: SqlDialect) -> Expr:
    """An attribute's value: text that compares by its bytes, a UUID as its text, NaN as NULL."""
    if kind is Kind.TEXT:
        return dialect.bytewise(expression)
    if kind is Kind.UUID:
        return exp.cast(expression.copy(), "text")
    if kind is Kind.FLOAT:
        is_number = exp.not_(dialect.is_nan(expression.copy()))
        return exp.Case(ifs=[exp.If(this=is_number, true=expression.copy())])
    return expression.copy()


def _kind_of(name: str, clauses: Iterable[Clause], column: SqlColumn) -> Kind:
    """What a column holds by what it is compared with, where that leaves one answer."""
    kinds = {kind for clause in clauses for kind in compared(clause)}
    found = {_INFERRED.get(kind) for kind in kinds}
    if len(found) == 1 and (kind := found.pop()) is not None:
        return kind
    words = " or ".join(each for each in Kind if each is not Kind.UUID)
    raise InvalidInput(
        f"say what the column of {name!r} holds, as in {column.said}:{Kind.INTEGER} ({words})"
    )


def type_gate(column: Expr, kind: Kind, what: str, dialect: SqlDialect) -> Expr:
    """True where the column has a type of its kind, or else the statement fails and says so.

    An engine that is not asked here would turn one type into another where it compares them.
    """
    pattern = dialect.types.get(kind)
    if pattern is None:
        raise InvalidInput(f"{dialect.title} has no type for {what}: there is no {kind}")
    found = dialect.type_of(column.copy())
    holds = dialect.is_type(found, pattern)
    said = text(f"{what} must be of the kind {kind}, and not of the type ")
    return dialect.refuse(holds, joined(said, found))
