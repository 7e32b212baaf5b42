"""Answers as an Arrow stream: the units, then a treatment and a reason for each experiment.

An experiment that keeps assignments has a third column: whether an answer is still to be kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from allotment.engine import Column
from allotment.errors import InvalidInput
from allotment.model.assignment import REASONS
from allotment.server.assign.batch.block import Block
from allotment.server.assign.batch.sticky import StickyColumn
from allotment.server.assign.batch.wanted import Wanted

_REASONS: Final = pa.array([reason.value for reason in REASONS], pa.string())
_CODED: Final = pa.dictionary(pa.int16(), pa.string())


class Stream:
    """One record batch a part. The schema's metadata says what answers mean, under `allotment`."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._file = _File()

    def begin(self, first: Block) -> bytes:
        """The schema; raises InvalidInput where two columns would have the same name."""
        fields = [(name, column.type) for name, column in first.unit_columns().items()]
        for key in self._wanted.experiments:
            fields += [(key, _CODED), (f"{key}.reason", _CODED)]
            if key in self._wanted.keeping:
                fields.append((f"{key}.to_keep", pa.bool_()))
        if len({name for name, _ in fields}) != len(fields):
            raise InvalidInput("two columns of the answer would have the same name", "$")
        legend = {b"allotment": msgspec.json.encode(self._wanted.legend())}
        self._schema = pa.schema(fields, metadata=legend)
        self._writer = pa.ipc.new_stream(self._file, self._schema)
        return self._file.take()

    def show(self, part: Block, columns: Mapping[str, Column]) -> bytes:
        """The answers of some units."""
        arrays = list(part.unit_columns().values())
        arrays = [
            column.cast(field.type) for column, field in zip(arrays, self._schema, strict=False)
        ]
        for column in columns.values():
            arrays.append(pa.array(column))
            codes = pa.array(column.reasons.astype(np.int16))
            arrays.append(pa.DictionaryArray.from_arrays(codes, _REASONS))
            if isinstance(column, StickyColumn):
                arrays.append(pa.array(column.to_keep))
        self._writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
        return self._file.take()

    def end(self) -> bytes:
        """The end of the stream."""
        self._writer.close()
        return self._file.take()


class _File:
    """What a writer writes to; keeps it until it is taken."""

    closed = False

    def __init__(self) -> None:
        self._written: list[bytes] = []  # or what lends its bytes

    def write(self, data: bytes) -> int:
        """Keep the bytes."""
        self._written.append(data)
        return len(data)

    def take(self) -> bytes:
        """What was written since the last time."""
        written = b"".join(self._written)
        self._written.clear()
        return written

    def flush(self) -> None:
        """Nothing is buffered."""

    def close(self) -> None:
        """Nothing is open."""
