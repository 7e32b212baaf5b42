"""Polars: what an engine answers, as expressions that stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from allotment.engine import Engine
from allotment.engine.column import Column
from allotment.errors import MissingExtra
from allotment.model.assignment import REASONS

try:
    import polars as pl
except ImportError as error:
    raise MissingExtra("expressions of Polars need it: pip install 'allotment[polars]'") from error

# A column by its name, or any expression.
Values: TypeAlias = str | pl.Expr

_NAMES: Final = [reason.value for reason in REASONS]
_REASONS: Final = pl.Series(_NAMES, dtype=pl.Enum(_NAMES))
_DETAIL: Final = pl.Struct(
    {"treatment": pl.Categorical(), "reason": _REASONS.dtype, "revision": pl.Int64()}
)


def assign(
    unit: Values,
    *,
    engine: Engine,
    experiment: str,
    attributes: Mapping[str, Values] | None = None,
) -> pl.Expr:
    """The treatment of each unit as Categorical, null where a unit gets none.

    unit        a column's name or an expression: text, binary that is UTF-8, or whole numbers
    engine      what it answers from now is what the expression answers from, also later
    experiment  its key, which is also the name of the result
    attributes  attribute to its values, such as `{"country": "country", "age": pl.col("age") + 1}`

    The expression is elementwise: it streams, and a filter on other columns is done before it. Kept
    assignments are not looked up. Raises NotFound for an unknown experiment.
    """
    return _expression(unit, engine, experiment, attributes, Column.to_polars, pl.Categorical())


def assign_detail(
    unit: Values,
    *,
    engine: Engine,
    experiment: str,
    attributes: Mapping[str, Values] | None = None,
) -> pl.Expr:
    """As `assign`, but each unit's treatment, reason and revision as a Struct.

    The fields are Categorical, an Enum of all reasons in their order, and Int64.
    """
    return _expression(unit, engine, experiment, attributes, _detail, _DETAIL)


def _expression(  # noqa: PLR0913, PLR0917  # what is asked, and how it is shown
    unit: Values,
    engine: Engine,
    experiment: str,
    attributes: Mapping[str, Values] | None,
    shown: Callable[[Column], pl.Series],
    kind: pl.DataType,
) -> pl.Expr:
    still = Engine(engine.snapshot)
    still.assign_many(experiment, [])  # refuses one that is unknown now, and not in a query
    names = list(attributes or {})

    def function(columns: Sequence[pl.Series]) -> pl.Series:
        units, *values = _alike(columns)
        known = dict(zip(names, values, strict=True)) if names else None
        return shown(still.assign_many(experiment, units, known))

    given = [unit, *(attributes or {}).values()]
    return pl.map_batches(given, function, kind, is_elementwise=True).alias(experiment)


def _alike(columns: Sequence[pl.Series]) -> Sequence[pl.Series]:
    """Columns of one length; a literal comes as one row."""
    rows = next((len(each) for each in columns if len(each) != 1), 1)
    return [each if len(each) == rows else each.new_from_index(0, rows) for each in columns]


def _detail(column: Column) -> pl.Series:
    fields = [
        column.to_polars("treatment"),
        _REASONS.gather(column.reasons).alias("reason"),
        pl.repeat(column.revision, len(column), dtype=pl.Int64, eager=True).alias("revision"),
    ]
    return pl.DataFrame(fields).to_struct()
