"""Parquet files: types are the file's own, and only the wanted columns are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from allotment.frames.rows import Rows, Source, Wanted, check_columns, reading

# Large enough that a batch's fixed costs vanish, small enough to stay in the processor's cache.
BATCH_ROWS: Final = 1 << 16

# Readers skip and share out work by row group; each holds about 10 bytes a row of ours.
_GROUP_ROWS: Final = 1 << 20

# A column chunk is read through a buffer of this size, never whole: one row group may hold the
# whole file.
_BUFFER_BYTES: Final = 1 << 20


@contextmanager
def open_parquet(path: Path, wanted: Wanted) -> Iterator[Source]:
    """The rows of a Parquet file."""
    with reading(path):
        opened = pq.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False)
    with opened as file:
        yield _ParquetSource(path, file, wanted)


class _ParquetSource:
    measure = "rows"

    def __init__(self, path: Path, file: pq.ParquetFile, wanted: Wanted) -> None:
        schema = file.schema_arrow
        self.absent = check_columns(path, schema.names, wanted)
        self.types = {name: schema.field(name).type for name in wanted.units.values()}
        self.total = file.metadata.num_rows
        self._path, self._file, self._wanted = path, file, wanted
        self._done = 0

    def done(self) -> int:
        return self._done

    def batches(self) -> Iterator[Rows]:
        attributes = sorted(self._wanted.attributes.keys() - self.absent)
        columns = sorted({*self.types, *attributes})
        with reading(self._path):
            for batch in self._file.iter_batches(BATCH_ROWS, columns=columns, use_threads=False):
                self._done += batch.num_rows
                units = {kind: batch.column(name) for kind, name in self._wanted.units.items()}
                written = {name: batch.column(name) for name in self.types}
                yield Rows(units, written, batch.select(attributes))


class ParquetSink:
    """Writes record batches of one schema, in row groups of about a million rows."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(file, schema, compression="zstd")
        self._waiting: list[pa.RecordBatch] = []

    def write(self, batch: pa.RecordBatch) -> None:
        """Write one batch, perhaps later."""
        self._waiting.append(batch)
        if len(self._waiting) * BATCH_ROWS >= _GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        """Write what waits, and the footer."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting))
            self._waiting = []
