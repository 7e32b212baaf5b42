"""The sample-ratio check of exposures, as `allotment srm` makes it, for tables in memory."""

from __future__ import annotations

from collections.abc import Sequence

from allotment.engine import Engine
from allotment.errors import InvalidInput, MissingExtra

try:
    import pyarrow as pa
except ImportError as error:
    raise MissingExtra(
        "the sample-ratio check needs pyarrow: pip install 'allotment[batch]'"
    ) from error

from allotment.frames.observed import COLUMNS, Observing
from allotment.frames.observed_ratio import ObservedRatio, Unchecked, Verdict, checks_of
from allotment.frames.rows import Rows

__all__ = ["ObservedRatio", "Unchecked", "Verdict", "check"]


def check(
    engine: Engine,
    exposures: object,
    experiments: Sequence[str] = (),
    *,
    space: str | None = None,
    since: int | None = None,
) -> list[ObservedRatio | Unchecked]:
    """Whether the units that were seen are shared out as the weights say, allocation by allocation.

    engine       whose catalog has the weights
    exposures    a data frame of pandas or Polars, a relation of DuckDB, or any Arrow table, with
                 the columns experiment, treatment and unit, where a unit counts once, or with
                 experiment, treatment and units, which are counts. It may have iteration,
                 allocation, reason, revision and space, as the assignment source has
    experiments  the keys of those to check; all where none is named
    space        the space whose exposures count, where there are several
    since        the first revision whose exposures count, after a change of weights

    The checks come in the order of experiments, iterations and allocations. What cannot be checked
    is an Unchecked, with the reason. Raises InvalidInput for what is neither exposures nor counts.
    """
    try:
        table = pa.table(exposures)
    except (TypeError, ValueError, pa.ArrowException) as error:
        raise InvalidInput(
            f"exposures are a data frame or an Arrow table, not {type(exposures).__name__}: {error}"
        ) from error
    columns = [name for name in COLUMNS.written if name in table.column_names]
    for name in COLUMNS.written:
        if name not in (*columns, *COLUMNS.optional):
            known = ", ".join(table.column_names) or "none"
            raise InvalidInput(f"exposures have no column {name!r}; their columns are: {known}")
    observing = Observing(space, since)
    for batch in table.select(columns).to_batches():
        observing.add(Rows({}, {name: batch.column(name) for name in columns}, None))
    return list(checks_of(engine.catalog, observing.result(), experiments))
