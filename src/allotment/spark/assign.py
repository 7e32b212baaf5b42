"""`assign`: what is asked of a DataFrame is checked here, before any job; the workers do the rest.

Spark is given columns by their places (`c0`, `c1`, ...) and never by their names: a name with a dot
would be read as a path, and a frame may have one name twice.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterable, Mapping
from typing import Final

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import LongType, StringType, StructField, StructType

import allotment
from allotment.compile import Snapshot, compile_experiments
from allotment.engine import Engine, NeverMatches
from allotment.errors import InvalidInput, NotFound, did_you_mean
from allotment.frames.wanted import wanted_columns
from allotment.model.catalog import Catalog
from allotment.spark.kept import with_kept
from allotment.spark.place import Place, arrow_type, place_of
from allotment.spark.worker import Task, assigned, outcome

REVISION: Final = "revision"

# From `warnings.warn` to who called `assign`.
_LEVELS: Final = 8


def assign(  # noqa: PLR0913  # each is a choice of the caller's
    df: DataFrame,
    snapshot: Engine | Snapshot | Catalog,
    experiments: Iterable[str] | None = None,
    unit: str | Mapping[str, str] = "user_id",
    *,
    attributes: Mapping[str, str | None] | None = None,
    kept: DataFrame | None = None,
) -> DataFrame:
    """`df` with what each row's unit gets: for each experiment a column of treatments, named after
    it, and one of reasons (`KEY.reason`), and at the end the catalog's `revision`.

    snapshot     an engine, of which what it answers from now is taken, its `snapshot`, or a
                 catalog. It is sent to the workers once, in a broadcast, and never changes
    experiments  the experiments' keys; default: all
    unit         the column of units: text, bytes that are UTF-8, or whole numbers; `user.id` is the
                 column of that name, or else the field `id` of the struct `user`. A mapping from
                 kind to column where the experiments randomise units of several kinds
    attributes   attribute to the column that holds it, written as for `unit`, or to None where no
                 unit has it. Default: the column of the attribute's name
    kept         assignments that were kept earlier, for experiments that keep them: the columns
                 `experiment`, `iteration`, `unit` and `treatment`, one row a unit and iteration.
                 Rows of other experiments, iterations and treatments count for nothing

    Nothing runs until Spark is asked for rows. A null, empty or over-long unit has the reason
    NO_UNIT. Two kept treatments of one unit fail the job.

    Raises NotFound for an unknown experiment, and InvalidInput for a column that is missing, that
    would stand twice in the result, or whose type cannot be read. Warns with NeverMatches where the
    type of a column can never match a condition that looks at it.
    """
    catalog = _catalog(snapshot)
    keys = _keys(catalog, experiments)
    columns = _units(catalog, keys, unit)
    wanted = wanted_columns(catalog, keys, columns)
    units = {kind: _unit(df.schema, kind, name) for kind, name in wanted.units.items()}
    given = attributes or {}
    places = {
        name: place_of(df.schema, column, f"the attribute {name!r}: {_ATTRIBUTES}")
        for name in wanted.attributes
        if (column := given.get(name, name)) is not None
    }
    schema = _schema(df, keys)
    _try(catalog, keys, units, places)
    frame = df.toDF(*(f"c{place}" for place in range(len(df.columns))))
    stored: dict[str, int] = {}
    if kept is not None:
        frame, stored = with_kept(frame, kept, catalog, keys, units)
    passed = len(df.columns)
    task = Task(allotment.__version__, keys, catalog.revision, units, places, stored, passed)
    sent = _sent(df.sparkSession, catalog)

    def run(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        return assigned(task, sent, batches)

    return frame.mapInArrow(run, schema)


_ATTRIBUTES: Final = (
    "name its column by attributes={ATTRIBUTE: COLUMN}, or say {ATTRIBUTE: None} where no unit"
    " has it"
)


def _catalog(given: Engine | Snapshot | Catalog) -> Catalog:
    if isinstance(given, Engine | Snapshot):
        return given.catalog
    if isinstance(given, Catalog):
        return given
    raise InvalidInput(
        f"Spark is given an Engine, its snapshot or a Catalog, not {type(given).__name__}: "
        "allotment.load makes an engine of a file, a store or bytes"
    )


def _keys(catalog: Catalog, experiments: Iterable[str] | None) -> tuple[str, ...]:
    if isinstance(experiments, str):
        raise InvalidInput("experiments are a list of keys, not one text", "$.experiments")
    keys = tuple(dict.fromkeys(catalog.experiments if experiments is None else experiments))
    for key in keys:
        if key not in catalog.experiments:
            advice = did_you_mean(key, catalog.experiments) if isinstance(key, str) else ""
            raise NotFound(f"there is no experiment {key!r} in the catalog{advice}")
    if not keys:
        raise InvalidInput("there is no experiment to assign: name one", "$.experiments")
    return keys


def _units(
    catalog: Catalog, keys: Iterable[str], unit: str | Mapping[str, str]
) -> Mapping[str | None, str]:
    kinds = sorted({catalog.experiments[key].unit for key in keys})
    if isinstance(unit, str):
        if len(kinds) > 1:
            raise InvalidInput(
                f"these experiments randomise units of the kinds {', '.join(kinds)}: say which "
                f"column holds each, as in unit={{{kinds[0]!r}: {unit!r}, ...}}"
            )
        return {None: unit}
    if not isinstance(unit, Mapping):
        raise InvalidInput(
            f"unit is the name of a column, or a mapping from kind to name, not {unit!r}"
        )
    if absent := [kind for kind in kinds if kind not in unit]:
        raise InvalidInput(f"unit names no column of the kind {absent[0]!r}")
    return {kind: unit[kind] for kind in kinds}


def _unit(schema: StructType, kind: str, name: str) -> Place:
    place = place_of(schema, name, f"units of the kind {kind}, as `unit` says")
    if isinstance(place.type, StructType):  # Arrow would take one with a single field for the field
        fields = ", ".join(f"{name}.{field}" for field in place.type.names)
        raise InvalidInput(
            f"units are text or whole numbers, and the column {name!r} is a struct: name a field"
            f" of it, such as {fields}"
        )
    return place


def _schema(df: DataFrame, keys: Iterable[str]) -> StructType:
    """The columns of the result; raises InvalidInput where two would have the same name."""
    new = [field for key in keys for field in _fields(key)]
    new.append(StructField(REVISION, LongType(), nullable=False))
    exact = df.sparkSession.conf.get("spark.sql.caseSensitive") == "true"
    taken: dict[str, str] = {}
    for name in (*df.columns, *(field.name for field in new)):
        same = name if exact else name.lower()
        if same in taken and name not in df.columns:
            raise InvalidInput(
                f"the result would have two columns {name!r}: rename the frame's, as in "
                f"df.withColumnRenamed({taken[same]!r}, ...), or drop it"
            )
        taken[same] = name
    return StructType([*df.schema.fields, *new])


def _fields(key: str) -> tuple[StructField, StructField]:
    reason = StructField(f"{key}.reason", StringType(), nullable=False)
    return StructField(key, StringType()), reason


def _try(
    catalog: Catalog,
    keys: tuple[str, ...],
    units: Mapping[str, Place],
    attributes: Mapping[str, Place],
) -> None:
    """Assign no rows of the frame's types: the engine itself refuses what it cannot read."""
    engine = Engine(compile_experiments(catalog, keys), note=_warn)
    outcome(
        engine,
        keys,
        {kind: pa.array([], arrow_type(place.type)) for kind, place in units.items()},
        {name: pa.array([], arrow_type(place.type)) for name, place in attributes.items()},
    )


def _warn(text: str) -> None:
    warnings.warn(text, NeverMatches, stacklevel=_LEVELS)


def _sent(session: SparkSession, catalog: Catalog) -> object:
    """The catalog as the workers get it; where Spark has no broadcasts, it goes with the task."""
    frozen = pickle.dumps(catalog, protocol=5)
    context = getattr(session, "sparkContext", None)  # Spark Connect has none
    return frozen if context is None else context.broadcast(frozen)
