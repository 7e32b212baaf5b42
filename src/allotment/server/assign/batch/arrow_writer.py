"""Answers as an Arrow stream: the columns of units, and two or three columns an experiment."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from allotment.engine.column import Column
from allotment.errors import InvalidInput
from allotment.frames.rows import reason_names
from allotment.server.assign.batch.columns import Columns, Piece, StickyColumn
from allotment.server.assign.batch.rows import UnitBlock

_CODED: Final = pa.dictionary(pa.int16(), pa.string())


def write_stream(columns: Columns, blocks: Iterator[UnitBlock]) -> Iterator[Piece]:
    """The units, then a treatment and a reason for each experiment; a record batch a part.

    An experiment that keeps assignments has a third column: whether an answer is still to be kept.
    The schema's metadata says what answers mean, under `allotment`.
    """
    parts = columns.answers(blocks)
    first = next(parts)
    schema = _schema(columns, first[0])
    if first[2]:  # the only part
        whole = pa.BufferOutputStream()
        with pa.ipc.new_stream(whole, schema) as writer:
            if first[0].rows:
                writer.write_batch(_answered(*first[:2], schema))
        yield memoryview(whole.getvalue()), True
        return
    file = io.BytesIO()
    with pa.ipc.new_stream(file, schema) as writer:
        for part, answers, is_last in chain([first], parts):
            writer.write_batch(_answered(part, answers, schema))
            if is_last:
                writer.close()
            yield _taken(file), is_last


def _schema(columns: Columns, first: UnitBlock) -> pa.Schema:
    """Raises InvalidInput where two columns would have the same name."""
    fields = [(name, column.type) for name, column in first.unit_columns().items()]
    for key in columns.experiments:
        fields += [(key, _CODED), (f"{key}.reason", _CODED)]
        if key in columns.keeping:
            fields.append((f"{key}.to_keep", pa.bool_()))
    if len({name for name, _ in fields}) != len(fields):
        raise InvalidInput("two columns of the answer would have the same name", "$")
    return pa.schema(fields, metadata={b"allotment": msgspec.json.encode(columns.legend())})


def _answered(part: UnitBlock, answers: Mapping[str, Column], schema: pa.Schema) -> pa.RecordBatch:
    units = part.unit_columns().values()
    arrays = list(units)
    for place, field in enumerate(schema):  # a later block may have another type of text
        if place < len(arrays) and arrays[place].type != field.type:
            arrays[place] = arrays[place].cast(field.type)
    for column in answers.values():
        arrays.append(pa.array(column))
        codes = column.reasons.astype(np.int16)
        arrays.append(pa.DictionaryArray.from_arrays(codes, reason_names()))
        if isinstance(column, StickyColumn):
            arrays.append(pa.array(column.to_keep))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _taken(file: io.BytesIO) -> bytes:
    """What was written since the last time."""
    written = file.getvalue()
    file.seek(0)
    file.truncate()
    return written
