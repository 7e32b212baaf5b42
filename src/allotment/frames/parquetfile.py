"""Parquet files: types are the file's own, and only the wanted columns are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from allotment.frames.rows import Rows, RowSource, Wanted, check_columns, no_column, reading

# Large enough that a batch's fixed costs vanish, small enough to stay in the processor's cache.
BATCH_ROWS: Final = 1 << 16

# Readers skip and share out work by row group; each holds about 10 bytes a row of ours.
_GROUP_ROWS: Final = 1 << 20

# A column chunk is read through a buffer of this size, never whole: one row group may hold the
# whole file.
_BUFFER_BYTES: Final = 1 << 20


@contextmanager
def open_parquet(path: Path, wanted: Wanted) -> Iterator[RowSource]:
    """The rows of a Parquet file.

    The unit column `user.id` is the column of that name, or else the field `id` of the column
    `user`.
    """
    with reading(path):
        opened = pq.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False)
    with opened as file:
        yield _ParquetSource(path, file, wanted)


class _ParquetSource:
    measure = "rows"

    def __init__(self, path: Path, file: pq.ParquetFile, wanted: Wanted) -> None:
        names = file.schema_arrow.names
        self._paths = {
            column: [column] if column in names else column.split(".")
            for column in wanted.written
            if column in names or column not in wanted.optional
        }
        tops = {top: path[0] if path[0] in names else top for top, path in self._paths.items()}
        self.absent = check_columns(path, names, Wanted(tops, wanted.attributes))
        types = {
            column: _type_at(path, file.schema_arrow, keys) for column, keys in self._paths.items()
        }
        self._keys = {name: _written_type(types[name]) for name in wanted.units.values()}
        self.types = types | self._keys
        self.total = file.metadata.num_rows
        self._path, self._file, self._wanted = path, file, wanted
        self._attributes = sorted(wanted.attributes.keys() - self.absent)
        held = {name: file.schema_arrow.field(name).type for name in self._attributes}
        self.columns = {name: str(kind) for name, kind in (types | held).items()}
        self._done = 0

    def done(self) -> int:
        return self._done

    def batches(self) -> Iterator[Rows]:
        columns = sorted({*self.types, *self._attributes})
        with reading(self._path):
            for batch in self._file.iter_batches(BATCH_ROWS, columns=columns, use_threads=False):
                self._done += batch.num_rows
                keys = {name: _column_at(batch, path) for name, path in self._paths.items()}
                units = {kind: keys[name] for kind, name in self._wanted.units.items()}
                written = keys | {name: _written(keys[name], k) for name, k in self._keys.items()}
                yield Rows(units, written, batch.select(self._attributes))


def _type_at(file: Path, schema: pa.Schema, path: list[str]) -> pa.DataType:
    kind = pa.struct(schema)
    for step in path:
        index = kind.get_field_index(step) if pa.types.is_struct(kind) else -1
        if index < 0:
            raise no_column(file, schema.names, ".".join(path))
        kind = kind.field(index).type
    return kind


def _column_at(batch: pa.RecordBatch, path: list[str]) -> pa.Array:
    column = batch.column(path[0])
    return pc.struct_field(column, path[1:]) if path[1:] else column


def _written_type(kind: pa.DataType) -> pa.DataType:
    """The type of a unit column in the result: bytes are text, for that is what is digested."""
    if pa.types.is_dictionary(kind):
        return _written_type(kind.value_type)
    is_bytes = pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind)
    if is_bytes or pa.types.is_binary_view(kind):
        return pa.string()
    return pa.large_string() if pa.types.is_large_binary(kind) else kind


def _written(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """The unit keys as they are written; null for one that is not UTF-8, and hence no unit."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        if column.type != kind:
            return column.cast(kind)
        column.validate(full=True)
    except pa.ArrowInvalid:
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise
        binary = column.cast(pa.large_binary())
        return pa.array([_text(key) for key in binary.to_pylist()], kind)
    return column


def _text(key: bytes | None) -> str | None:
    try:
        return None if key is None else key.decode()
    except UnicodeDecodeError:
        return None


class ParquetSink:
    """Writes record batches of one schema, in row groups of about a million rows."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._valve = _Valve(file)
        self._writer = pq.ParquetWriter(self._valve, schema, compression="zstd")
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0  # that wait

    def write(self, batch: pa.RecordBatch) -> None:
        """Write one batch, perhaps later."""
        self._waiting.append(batch)
        self._rows += batch.num_rows
        if self._rows >= _GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        """Write what waits, and the footer."""
        self._flush()
        self._writer.close()

    def abandon(self) -> None:
        """Write no more: without its footer, what is there cannot be taken for a whole file."""
        self._valve.shut = True
        with suppress(pa.ArrowException, OSError):
            self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting), max(self._rows, 1))
            self._waiting, self._rows = [], 0


class _Valve:
    """A file that swallows what it is given once it is shut: a writer always ends with a footer."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self.shut = False
        self._file = file

    def write(self, data: bytes) -> int:
        return len(data) if self.shut else self._file.write(data)

    def flush(self) -> None:
        if not self.shut:
            self._file.flush()

    def close(self) -> None:
        """Close nothing: the file belongs to the caller."""
