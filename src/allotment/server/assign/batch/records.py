"""A batch as an Arrow stream: units in one or more columns, an attribute in each of the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import pyarrow as pa

from allotment.errors import InvalidInput
from allotment.kernel.units import texts_of
from allotment.server.assign.batch.frames import Frame, Frames, Kind

# What Arrow raises for data that is not what it claims to be.
_FAULTS: Final = (pa.ArrowException, OSError, ValueError, TypeError)

_encode: Final = msgspec.json.Encoder()


class RecordsSource:
    """Reads record batches, each as soon as it is whole.

    columns      kinds of units to the columns that hold them; under "" the only one, for all kinds
    experiments  what is asked for; None is all
    """

    def __init__(self, columns: Mapping[str, str], experiments: list[str] | None) -> None:
        self.experiments = experiments
        self._columns = columns
        self._frames = Frames()
        self._file = _File()
        self._reader: pa.RecordBatchStreamReader | None = None

    @property
    def held(self) -> int:
        """How many bytes are kept."""
        return self._frames.held

    def feed(self, chunk: bytes) -> Iterator[Records] | None:
        """The blocks that are whole with this much more of the body; None for none yet."""
        return self._blocks() if self._frames.add(chunk) else None

    def _blocks(self) -> Iterator[Records]:
        for frame in self._frames.take():
            try:
                yield from self._read(frame)
            except InvalidInput:
                raise
            except _FAULTS:
                raise InvalidInput("the Arrow stream is damaged", "$") from None

    def end(self) -> Iterator[Records]:
        """An empty block: a stream may have nothing but a schema."""
        yield from self._blocks()
        self._frames.end()
        if self._reader is None:
            raise InvalidInput("the body is empty; an Arrow stream begins with a schema", "$")
        schema = self._reader.schema
        nothing = [pa.nulls(0, field.type) for field in schema]
        yield Records(pa.RecordBatch.from_arrays(nothing, schema=schema), self._columns)

    def _read(self, frame: Frame) -> Iterator[Records]:
        self._file.hold(frame.message)
        if self._reader is None:
            self._reader = pa.ipc.open_stream(self._file)
            _check_names(self._reader.schema.names, self._columns)
        elif frame.kind is Kind.RECORDS:
            batch = self._reader.read_next_batch()
            if batch.num_rows > frame.body:
                raise InvalidInput("a record batch claims more rows than it has bytes", "$")
            yield Records(_checked(batch, self._columns), self._columns)


class Records:
    """Units of one record batch. None of them is at fault: a column is as a whole."""

    faults: Mapping[int, str] = {}

    def __init__(self, batch: pa.RecordBatch, columns: Mapping[str, str]) -> None:
        self._batch = batch
        self._columns = columns

    @property
    def rows(self) -> int:
        """How many there are."""
        rows: int = self._batch.num_rows
        return rows

    def part(self, start: int, stop: int) -> Records:
        """The rows of a range."""
        return Records(self._batch.slice(start, stop - start), self._columns)

    def units(self) -> object:
        """The column of units, or one a kind."""
        by_kind = {kind: self._batch.column(name) for kind, name in self._columns.items()}
        return by_kind.get("", by_kind)

    def attributes(self) -> object:
        """The other columns."""
        units = set(self._columns.values())
        return self._batch.select([name for name in self._batch.schema.names if name not in units])

    def unit_texts(self) -> list[bytes]:
        """Each unit as JSON, `null` for what is none."""
        by_kind = {kind: _values(self._batch.column(n)) for kind, n in self._columns.items()}
        units: Any = by_kind.get("")
        if units is None:
            rows = zip(*by_kind.values(), strict=True)
            units = [dict(zip(by_kind, row, strict=True)) for row in rows]
        return _encode.encode_lines(units).split(b"\n")[:-1]

    def unit_columns(self) -> dict[str, pa.Array]:
        """The columns of units; those of text are null where they are not UTF-8."""
        return {name: _text(self._batch.column(name)) for name in self._columns.values()}


class _File:
    """What a reader reads from: the messages it was given and has not read yet."""

    closed = False

    def __init__(self) -> None:
        self._left = memoryview(b"")

    def hold(self, message: bytes) -> None:
        """Add a message to what is not read yet."""
        self._left = memoryview(bytes(self._left) + message if self._left else message)

    def read(self, size: int) -> memoryview:
        """The next bytes, where they lie."""
        found, self._left = self._left[:size], self._left[size:]
        return found

    def close(self) -> None:
        """Nothing is open."""


def _check_names(names: Sequence[str], columns: Mapping[str, str]) -> None:
    if len(set(names)) != len(names):
        raise InvalidInput("two columns of the stream have the same name", "$")
    if not set(columns.values()) <= set(names):
        raise InvalidInput(
            "the stream has no such column of units; name yours with ?unit=COLUMN", "query.unit"
        )


def _checked(batch: pa.RecordBatch, columns: Mapping[str, str]) -> pa.RecordBatch:
    """The batch, once its buffers hold what it says. Units that are not UTF-8 become bytes."""
    units = set(columns.values())
    for place, name in enumerate(batch.schema.names):
        column = batch.column(place)
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            plain = _BYTES.get(column.type) if name in units else None
            if plain is None:
                raise
            column = column.view(plain)
            column.validate(full=True)
            batch = batch.set_column(place, name, column)
    return batch


# Types of text, and those of the same bytes without the claim that they are UTF-8.
_BYTES: Final = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}
_BINARY: Final = (pa.binary(), pa.large_binary(), pa.binary_view())


def _values(column: pa.Array) -> list[Any]:
    """Units as they stand in JSON."""
    values: list[Any] = column.to_pylist()
    return texts_of(column, "units", "$") if _is_binary(column.type) else values


def _text(column: pa.Array) -> pa.Array:
    if _is_binary(column.type):
        return pa.array(texts_of(column, "units", "$"), pa.string())
    return column


def _is_binary(kind: pa.DataType) -> bool:
    """Whether a column holds text as bytes, itself or in a dictionary."""
    return (kind.value_type if pa.types.is_dictionary(kind) else kind) in _BINARY
