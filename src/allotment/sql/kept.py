"""Kept assignments: a table that is joined, one row a unit of the result."""

from __future__ import annotations

from sqlglot import exp, parse_one

from allotment.errors import InvalidInput
from allotment.model.experiment import Experiment
from allotment.sql.checks import KEPT
from allotment.sql.clause import all_of, one_of
from allotment.sql.columns import PREFIX, type_gate
from allotment.sql.dialect import Expr, Kind, SqlDialect, text, whole

UNIT_KEPT = f"{PREFIX}kept_unit"
_TURN = f"{PREFIX}turn"


def kept_rows(experiment: Experiment, table: Expr | None, dialect: SqlDialect) -> exp.Select:
    """For each unit, the first treatment kept for it that the current iteration has.

    Raises InvalidInput where no table is named.
    """
    if table is None:
        raise InvalidInput(
            "the experiment keeps assignments: name the table that has them (`kept`, or --kept), of"
            " experiment, iteration, unit, turn and treatment; it may be empty",
            f"$.experiments.{experiment.key}",
        )
    iteration = experiment.current
    unit, treatment = exp.column("unit"), exp.column("treatment")
    is_it = exp.EQ(this=exp.column("experiment"), expression=text(experiment.key))
    is_now = exp.EQ(this=exp.column("iteration"), expression=whole(iteration.number))
    is_there = one_of(treatment, [text(each.key) for each in iteration.treatments])
    gate = type_gate(unit, Kind.TEXT, "'unit' of the table of kept assignments", dialect)
    turn = parse_one("ROW_NUMBER() OVER (PARTITION BY unit ORDER BY turn)", read=dialect.name)
    rows = exp.select(
        exp.alias_(dialect.bytewise(unit), UNIT_KEPT),
        # Cast, it can be NULL in ClickHouse too: so it is where nothing is joined.
        exp.alias_(exp.cast(treatment, "text"), KEPT),
        exp.alias_(turn, _TURN),
    )
    rows = rows.from_(table).where(all_of([gate, is_it, is_now, is_there]))
    first = exp.EQ(this=exp.column(_TURN), expression=whole(1))
    return exp.select(UNIT_KEPT, KEPT).from_(rows.subquery(f"{PREFIX}kept_rows")).where(first)
