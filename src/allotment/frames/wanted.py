"""Which columns a catalog's experiments need of a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from allotment.errors import InvalidInput
from allotment.frames.rows import Wanted
from allotment.matching.clause import Compared, compared
from allotment.matching.program import compile_program
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment


def wanted_columns(
    catalog: Catalog,
    experiments: Iterable[str],
    unit_columns: Mapping[str | None, str],
    others: Iterable[str] = (),
) -> Wanted:
    """The unit columns, the top-level columns of the attributes that segments look at, and others.

    `unit_columns` maps the kind of unit to a column; under None stands the column of the only kind
    that these experiments randomise. Raises InvalidInput for a kind without a column.
    """
    keys = list(experiments)
    attributes: dict[str, set[Compared]] = {}
    for segment in {s for key in keys for s in _segments(catalog.experiments[key])}:
        program = compile_program(catalog.segments[segment], catalog.segments)
        for field in program.fields:
            kinds = attributes.setdefault(field.path[0], set())
            if len(field.path) == 1:
                kinds.update(kind for _, clause in field.clauses for kind in compared(clause))
    return Wanted(_units(catalog, keys, unit_columns), attributes, tuple(others))


def _segments(experiment: Experiment) -> set[str]:
    if experiment.archived:  # it asks nothing, and what it named may be gone
        return set()
    iteration = experiment.current
    named = {iteration.audience, *(allocation.segment for allocation in iteration.allocations)}
    return {segment for segment in named if segment is not None}


def _units(
    catalog: Catalog, keys: list[str], columns: Mapping[str | None, str]
) -> Mapping[str, str]:
    kinds = sorted({catalog.experiments[key].unit for key in keys})
    units: dict[str, str] = {}
    for kind in kinds:
        column = columns.get(kind) or (columns.get(None) if len(kinds) == 1 else None)
        if column is None:
            raise InvalidInput(
                f"these experiments randomise units of the kinds {', '.join(kinds)}: "
                f"say which column holds each, as in {kind}=COLUMN"
            )
        units[kind] = column
    return units
