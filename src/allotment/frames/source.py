"""The assignment source of a batch: a row for each unit that an experiment gives a treatment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allotment.engine import Engine
from allotment.engine.column import Column
from allotment.errors import InvalidInput
from allotment.exposures.parquet import source_schema
from allotment.frames.assign import Tally
from allotment.frames.rows import Rows, reason_names
from allotment.frames.strata import Strata
from allotment.model.catalog import Catalog

_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class SourceRows:
    """How outcomes become rows.

    catalog  the catalog as it is, not the stratified one
    strata   how the codes of each experiment read
    columns  kind of unit to its column in the input
    at       the time of every row, in milliseconds since the epoch
    is_text  whether the time is written as text, as in lines of NDJSON
    """

    catalog: Catalog
    strata: Mapping[str, Strata]
    columns: Mapping[str, str]
    at: int
    is_text: bool

    @property
    def schema(self) -> pa.Schema:
        """The columns of the assignment source."""
        schema = source_schema()
        if not self.is_text:
            return schema
        return schema.set(schema.get_field_index("time"), pa.field("time", pa.string()))

    def of(
        self, engine: Engine, rows: Rows, tallies: Mapping[str, Tally], *, threads: int = 1
    ) -> Iterator[pa.RecordBatch]:
        """The rows of one batch, experiment by experiment, and the counts of it."""
        table = engine.assign_table(rows.units, tallies, rows.attributes, threads=threads)
        for key, tally in tallies.items():
            outcome = table[key]
            tally.add(outcome.codes, outcome.reasons)
            own = self.strata[key].back[outcome.codes]
            yield self._given(key, rows, outcome, own, np.flatnonzero(own >= 0))

    def _given(
        self,
        key: str,
        rows: Rows,
        outcome: Column,
        own: npt.NDArray[np.int16],
        at: npt.NDArray[np.intp],
    ) -> pa.RecordBatch:
        experiment, strata = self.catalog.experiments[key], self.strata[key]
        iteration = experiment.current
        dealt: list[str | None] = [None] * len(strata.back)
        for allocation, parts in strata.parts.items():
            for code, _ in parts:
                dealt[code] = allocation
        sets = [_encode(dict(each.sets)).decode() for each in iteration.treatments]
        codes = own[at]
        moment: str | datetime = datetime.fromtimestamp(self.at // 1000, UTC).replace(
            microsecond=self.at % 1000 * 1000
        )
        if self.is_text:
            written = moment.isoformat(timespec="milliseconds")  # type: ignore[union-attr]
            moment = written.replace("+00:00", "Z")
        text = pa.string()
        columns = {
            "unit": _texts(rows.written[self.columns[experiment.unit]].take(pa.array(at))),
            "unit_kind": experiment.unit,
            "experiment": key,
            "iteration": iteration.number,
            "treatment": pa.array(strata.treatments, text).take(pa.array(codes)),
            "time": moment,
            "revision": outcome.revision,
            "space": None,
            "allocation": pa.array(dealt, text).take(pa.array(outcome.codes[at])),
            "reason": reason_names().take(pa.array(outcome.reasons[at])),
            "variations": pa.array(sets, text).take(pa.array(codes)),
        }
        return pa.RecordBatch.from_arrays(
            [
                each if isinstance(each, pa.Array) else pa.array([each] * len(at), field.type)
                for each, field in zip(columns.values(), self.schema, strict=True)
            ],
            schema=self.schema,
        )


def _texts(units: pa.Array) -> pa.Array:
    """Units as the text of their keys."""
    plain = units.cast(units.type.value_type) if pa.types.is_dictionary(units.type) else units
    try:
        return plain.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InvalidInput(f"units of the type {units.type} cannot be written as text") from error
