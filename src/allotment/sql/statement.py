"""The statement: a chain of SELECTs, of which the last says treatment, reason and revision.

The table is read once. Then come the draws and what is joined, the segments, the check that
decides, and what it gives: each is computed once a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from sqlglot import exp

from allotment.compile import compile_catalog
from allotment.compile.experiment import Source
from allotment.engine import Engine
from allotment.errors import InvalidInput, NotFound, did_you_mean
from allotment.model.catalog import Catalog
from allotment.sql.checks import STEP, UNIT, ExperimentChecks
from allotment.sql.clause import all_of
from allotment.sql.columns import (
    PREFIX,
    ReadColumns,
    SqlColumn,
    check_known,
    column_of,
    columns_of,
    table_of,
    unit_text,
)
from allotment.sql.dialect import Expr, SqlDialect, whole
from allotment.sql.engines import DIALECTS
from allotment.sql.kept import UNIT_KEPT, kept_rows
from allotment.sql.lists import Listed, UnitLists, lists_of
from allotment.sql.segment import Membership, clauses_of, levels_of, segments_asked

_TREATMENT: Final = f"{PREFIX}treatment_given"
_RESULT: Final = ("treatment", "reason", "revision")


def select(  # noqa: PLR0913  # what there is to say of a table
    source: Engine | Catalog,
    experiment: str,
    *,
    dialect: str,
    table: str,
    unit: str,
    columns: Mapping[str, str | None] | None = None,
    keep: Sequence[str] = (),
    lists: str | None = None,
    kept: str | None = None,
) -> str:
    """The assignment of every unit of a table in one experiment, as one SELECT.

    dialect  a key of `DIALECTS`
    table    the table of units, as the engine's SQL names it
    unit     the column of the units' keys, with ":integer" or ":uuid" where it is not text
    columns  attribute to column, "COLUMN" or "COLUMN:KIND"; None where no unit has the attribute;
             one that is not named is in the column of its name. A column is one of the engine's
             SQL, or an expression; its kind is text, integer, float, boolean or uuid
    keep     columns to copy to the result
    lists    the table that `lists` has the rows of; None: the ids stand in the statement
    kept     the table of kept assignments, with the columns experiment, iteration, unit, turn and
             treatment, where the experiment keeps assignments

    A row of the result is one of the table: its unit, what is copied, treatment (text or NULL),
    reason and revision. Raises NotFound for an unknown experiment, and InvalidInput for what the
    engine cannot compute exactly.
    """
    check_known("dialect", [dialect], DIALECTS)
    engine = DIALECTS[dialect]
    asked = _asked(source, experiment)
    segments = segments_asked(asked.segments, asked.catalog.segments)
    every = clauses_of(asked.catalog.segments.values())
    read = columns_of(clauses_of(segments), columns or {}, every, engine)
    named = [column_of(each, engine) for each in (unit, *keep)]
    joined = None if lists is None else table_of(lists, engine)
    listed = lists_of(asked.source, asked.catalog, segments, joined)
    places = {segment.key: place for place, segment in enumerate(segments)}
    members = Membership(exp.column(UNIT), listed, read.attributes, places, engine)
    chain = [
        _units(table_of(table, engine), named, read, engine),
        _draws(asked, listed, None if kept is None else table_of(kept, engine), engine),
    ]
    chain += [_also(map(members.named, level)) for level in levels_of(segments)]
    chain.append(_also([exp.alias_(asked.step(listed, members), STEP)]))
    chain.append(_also([exp.alias_(asked.treatment(listed), _TREATMENT)]))
    chain.append(_result(asked, named))
    return _written(chain, engine)


def lists(source: Engine | Catalog, experiment: str) -> Iterator[Listed]:
    """The rows of the table that `select(..., lists=TABLE)` joins, for one experiment.

    Those of several experiments may be in one table; a row may be there twice.
    """
    asked = _asked(source, experiment)
    segments = segments_asked(asked.segments, asked.catalog.segments)
    return lists_of(asked.source, asked.catalog, segments, exp.to_table("lists")).rows()


def _asked(source: Engine | Catalog, experiment: str) -> ExperimentChecks:
    engine = source if isinstance(source, Engine) else Engine(compile_catalog(source))
    snapshot = engine.snapshot
    plan = snapshot.plans.get(experiment)
    if plan is None:
        known = did_you_mean(experiment, snapshot.plans)
        raise NotFound(f"there is no experiment {experiment!r} in the catalog{known}")
    assert isinstance(plan.source, Source)
    if plan.source.failure:
        raise InvalidInput(plan.source.failure, f"$.experiments.{experiment}")
    return ExperimentChecks(plan.source, snapshot.catalog)


def _units(
    table: Expr, named: Sequence[SqlColumn], read: ReadColumns, dialect: SqlDialect
) -> exp.Select:
    """The table's rows: the unit as it is and as a text, what is copied, and the attributes."""
    unit, gate = unit_text(named[0], dialect)
    columns = [exp.alias_(each.expression, _copy(place)) for place, each in enumerate(named)]
    columns += [exp.alias_(unit, UNIT), *read.read]
    gates = all_of([gate, *read.gates])
    query = exp.select(*columns).from_(table)
    return query if isinstance(gates, exp.Boolean) else query.where(gates)


def _draws(
    asked: ExperimentChecks, lists: UnitLists, kept: Expr | None, dialect: SqlDialect
) -> exp.Select:
    """Beside that: the draws, and what the lists and the kept assignments say of the unit."""
    unit = exp.column(UNIT)
    draws = [
        exp.alias_(each.value(unit, dialect), each.column.name) for each in asked.draws.values()
    ]
    query = _also(draws)
    listed = lists.joined(dialect)
    if listed is not None:
        query = _with(query, listed, f"{PREFIX}listed")
    if asked.keeps:
        query = _with(query, kept_rows(asked.source.experiment, kept, dialect), UNIT_KEPT)
    return query


def _with(query: exp.Select, joined: exp.Select, unit: str) -> exp.Select:
    on = exp.EQ(this=exp.column(UNIT), expression=exp.column(unit))
    return query.join(joined.subquery(f"{unit}_rows"), on=on, join_type="left")


def _also(columns: Iterable[Expr]) -> exp.Select:
    """Everything that there was, and some more columns."""
    return exp.select(exp.Star(), *columns)


def _result(asked: ExperimentChecks, named: Sequence[SqlColumn]) -> exp.Select:
    names = [each.name or "unit" if place == 0 else each.name for place, each in enumerate(named)]
    taken = [*names, *_RESULT]
    if None in names or len(set(taken)) < len(taken):
        raise InvalidInput(
            "the columns to copy have names of their own, other than the unit's and "
            + ", ".join(_RESULT)
        )
    given = exp.column(_TREATMENT)
    copied = [
        exp.alias_(exp.column(_copy(place)), each.expression.this if each.name else "unit")
        for place, each in enumerate(named)
    ]
    return exp.select(
        *copied,
        exp.alias_(given, "treatment"),
        exp.alias_(asked.reason(given), "reason"),
        exp.alias_(exp.cast(whole(asked.source.revision), "bigint"), "revision"),
    )


def _copy(place: int) -> str:
    return f"{PREFIX}c{place}"


def _written(chain: Sequence[exp.Select], dialect: SqlDialect) -> str:
    """The chain as one statement: each but the first reads the one before."""
    *steps, query = chain
    names = [f"{PREFIX}{place}" for place in range(len(steps))]
    for place, name in enumerate(names):
        step = steps[place]
        if place:
            step = step.from_(names[place - 1])
        query = query.with_(name, as_=step.offset(0) if dialect.fence and place else step)
    return query.from_(names[-1]).sql(dialect=dialect.name, pretty=True)
