"""Kept assignments: a frame of them becomes a column of treatments an experiment, by a join."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f
from pyspark.sql.types import BinaryType, DataType, IntegralType, StringType

from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.spark.place import Place, place_of

_UNIT: Final = (StringType, BinaryType, IntegralType)
_TYPES: Final[dict[str, tuple[tuple[type[DataType], ...], str]]] = {
    "experiment": ((StringType,), "text"),
    "iteration": ((IntegralType,), "a whole number"),
    "unit": (_UNIT, "text or a whole number"),
    "treatment": ((StringType,), "text"),
}


def with_kept(
    frame: DataFrame,
    kept: DataFrame,
    catalog: Catalog,
    experiments: Iterable[str],
    units: Mapping[str, Place],
) -> tuple[DataFrame, dict[str, int]]:
    """`frame` with columns of kept treatments behind its own, and their numbers by experiment.

    Raises InvalidInput for a column of `kept` that is missing or of a wrong type, and where none of
    the experiments keeps assignments.
    """
    keeping = [
        experiment
        for key in experiments
        if (experiment := catalog.experiments[key]).keeps_assignments
    ]
    if not keeping:
        raise InvalidInput(
            "kept assignments are given, and none of these experiments keeps any: leave out `kept`,"
            " or let one keep them (keeps_assignments)"
        )
    kept = _plain(kept)
    own = list(frame.columns)
    numbers: dict[str, int] = {}
    for kind in sorted({experiment.unit for experiment in keeping}):
        of_kind = [experiment for experiment in keeping if experiment.unit == kind]
        names = [f"k{len(own) + at}" for at in range(len(of_kind))]
        numbers |= {each.key: len(own) + at for at, each in enumerate(of_kind)}
        wide = _wide(kept, of_kind, names)
        frame = frame.join(wide, _bytes(_column(units[kind])) == f.col("unit"), "left")
        own += names
        frame = frame.select(*own)
    return frame, numbers


def _plain(kept: DataFrame) -> DataFrame:
    """The four columns, without collations: a key that differs in case is another one."""
    for name, (types, said) in _TYPES.items():
        found = place_of(kept.schema, name, "kept assignments").type
        if not isinstance(found, types):
            raise InvalidInput(
                f"the column {name!r} of the kept assignments is {found.simpleString()}, and not"
                f" {said}: cast it"
            )
    texts = [f.col(name).cast("string").alias(name) for name in ("experiment", "unit", "treatment")]
    return kept.select(*texts, "iteration")


def _column(place: Place) -> Column:
    return reduce(Column.getField, place.fields, f.col(f"c{place.column}"))


def _bytes(unit: Column) -> Column:
    """A unit's key as it is digested: the UTF-8 of its text, or of its decimal digits."""
    return unit.cast("string").cast("binary")


def _wide(kept: DataFrame, experiments: list[Experiment], names: list[str]) -> DataFrame:
    """One row a unit, with a column of treatments for each experiment."""
    counted = [_counts(experiment) for experiment in experiments]
    treatments = [
        _only(experiment, f.when(counts, f.col("treatment"))).alias(name)
        for experiment, counts, name in zip(experiments, counted, names, strict=True)
    ]
    rows = kept.where(reduce(Column.__or__, counted))
    return rows.groupBy("unit").agg(*treatments).withColumn("unit", _bytes(f.col("unit")))


def _counts(experiment: Experiment) -> Column:
    """Whether a row is of the iteration that assigns, and names a treatment of it."""
    iteration = experiment.current
    return (
        (f.col("experiment") == experiment.key)
        & (f.col("iteration") == iteration.number)
        & f.col("treatment").isin([treatment.key for treatment in iteration.treatments])
    )


def _only(experiment: Experiment, treatment: Column) -> Column:
    """The one treatment of a group; the job fails where there are two, for either may be first."""
    first, last = f.min(treatment), f.max(treatment)
    said = f.concat(
        f.lit(f"two treatments are kept in the experiment {experiment.key!r} for the unit "),
        f.first("unit"),
        f.lit(": leave the one that was kept first"),
    )
    return f.when(first != last, f.raise_error(said)).otherwise(first)
