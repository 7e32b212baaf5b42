"""What a worker of Spark does: batches in, the same rows with what each unit gets out."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

import allotment
from allotment.compile import compile_experiments
from allotment.engine import Engine
from allotment.engine.column import Column
from allotment.errors import InvalidInput
from allotment.frames.rows import reason_names
from allotment.spark.place import Place

# A worker lives on from job to job; more catalogs than these are compiled again.
_ENGINES_MAX: Final = 4


class Task(NamedTuple):
    """What is done with each batch; it goes to the workers with the function.

    version      the release of Allotment on the driver
    experiments  their keys, in the order of the result
    revision     the catalog's
    units        kind of unit to its place in a row
    attributes   attribute to its place in a row
    kept         experiment to the number of the column of kept treatments
    passed       how many columns come first and are the frame's own, which pass through
    """

    version: str
    experiments: tuple[str, ...]
    revision: int
    units: Mapping[str, Place]
    attributes: Mapping[str, Place]
    kept: Mapping[str, int]
    passed: int


def assigned(task: Task, sent: Any, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The result of one partition, batch by batch; `sent` is the catalog, or a broadcast of it."""
    if task.version != allotment.__version__:
        raise InvalidInput(
            f"the driver has allotment {task.version} and this worker {allotment.__version__}: "
            "install the same release on both"
        )
    engine = engine_of(sent if isinstance(sent, bytes) else sent.value, task.experiments)
    for batch in batches:
        given = outcome(
            engine,
            task.experiments,
            {kind: place.of(batch) for kind, place in task.units.items()},
            {name: place.of(batch) for name, place in task.attributes.items()},
            {key: batch.column(number) for key, number in task.kept.items()},
        )
        new = [each for column in given for each in _written(column)]
        revisions = pa.array(np.full(batch.num_rows, task.revision, np.int64))
        columns = [*batch.columns[: task.passed], *new, revisions]
        # Spark goes by the order, and one name twice would confuse it.
        yield pa.RecordBatch.from_arrays(columns, [f"c{place}" for place in range(len(columns))])


@lru_cache(_ENGINES_MAX)
def engine_of(frozen: bytes, experiments: tuple[str, ...]) -> Engine:
    """The engine of a catalog that was sent: compiled once in a worker process."""
    return Engine(compile_experiments(pickle.loads(frozen), experiments), note=None)


def outcome(
    engine: Engine,
    experiments: Iterable[str],
    units: Mapping[str, pa.Array],
    attributes: Mapping[str, pa.Array],
    kept: Mapping[str, pa.Array] | None = None,
) -> list[Column]:
    """What the units of n rows get in each experiment."""
    stored = kept or {}
    table = engine.assign_table(units, [e for e in experiments if e not in stored], attributes)
    return [
        engine.assign_many(
            key, units[engine.catalog.experiments[key].unit], attributes, stored=stored[key]
        )
        if key in stored
        else table[key]
        for key in experiments
    ]


def _written(column: Column) -> tuple[pa.Array, pa.Array]:
    """The treatments and the reasons as text: Spark takes no dictionaries from a worker."""
    return column.to_arrow().dictionary_decode(), reason_names().take(pa.array(column.reasons))
