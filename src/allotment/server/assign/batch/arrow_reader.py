"""A batch as an Arrow stream: columns of units, and an attribute in each other one."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, Final

import msgspec
import pyarrow as pa

from allotment.errors import AllotmentError, InvalidInput, TooLarge
from allotment.kernel.units import texts_of
from allotment.model.limits import UNIT_KEY_BYTES_MAX
from allotment.server.assign.batch.texts import AS_BYTES, spare_bytes, viewed_bytes
from allotment.server.http.limits import BATCH_BYTES_MAX

# What Arrow raises for data that is not what it claims to be.
_FAULTS: Final = (pa.ArrowException, OSError, ValueError, TypeError, struct.error)

# What every message begins with.
_MARK: Final = b"\xff\xff\xff\xff"

# The largest schema: what is made of one takes many times as much.
_METADATA_BYTES_MAX: Final = 4 << 20

# No schema of one column is longer, unless somebody means it to take long.
_SHORT_METADATA_BYTES: Final = 16 << 10

# What messages say of themselves, together, is looked at before any of them is answered: a message
# counts as a kilobyte of it at the least. So 65,536 of them are looked through in half a second.
_MESSAGE_BYTES: Final = 1 << 10

_encode: Final = msgspec.json.Encoder()


def read_stream(body: IO[bytes], columns: Mapping[str, str]) -> Iterator[Records]:
    """An empty block, and a block a record batch; `columns` are those of units, by their kind.

    The messages of the whole stream are checked before any of them is answered.
    """
    try:
        source = _Source(body)
        _check_messages(source)
        reader = pa.ipc.open_stream(source.again())
        _check_names(reader.schema.names, columns)
        nothing = [pa.nulls(0, field.type) for field in reader.schema]
        yield Records(pa.RecordBatch.from_arrays(nothing, schema=reader.schema), columns)
        for batch in reader:
            if batch.num_rows > batch.get_total_buffer_size():
                raise InvalidInput("a record batch claims more rows than it has bytes", "$")
            yield Records(_checked(batch, columns), columns)
    except AllotmentError:
        raise
    except _FAULTS:
        raise InvalidInput("the Arrow stream is damaged", "$") from None


def read_batch(body: io.BytesIO, column: str) -> Records | None:
    """The rows of a stream of one record batch, all of it one column of text; else None.

    What is wrong with another stream is not said here.
    """
    source = pa.BufferReader(body.getbuffer())
    try:
        messages = pa.ipc.MessageReader.open_stream(source)
        first = messages.read_next_message()
        if first.metadata.size > _SHORT_METADATA_BYTES:
            return None
        schema = pa.ipc.read_schema(first)
        if schema.names != [column] or schema.types[0] not in AS_BYTES:
            return None
        message = messages.read_next_message()
        if message.type != "record batch" or _is_compressed(message):
            return None
        if next(iter(messages), None) is not None or source.tell() != source.size():
            return None
        batch = pa.ipc.read_record_batch(message, schema)
        if batch.num_rows > batch.get_total_buffer_size():
            return None
        batch.validate(full=True)
        return Records(batch, {"": column})
    except (*_FAULTS, AllotmentError, StopIteration):
        return None


def _check_messages(source: _Source) -> None:
    """Refuse what no reader may be given: a few bytes may claim to be gigabytes."""
    begun = False
    metadata = 0  # bytes of that of all messages
    dictionaries = 0  # bytes of all of them, which the reader keeps
    for message in pa.ipc.MessageReader.open_stream(source):
        if message.type not in _TYPES or begun is (message.type == "schema"):
            raise InvalidInput("an Arrow stream is a schema, and then record batches", "$")
        begun = True
        if message.metadata.size > _METADATA_BYTES_MAX:
            raise TooLarge(f"a schema has at most {_METADATA_BYTES_MAX:,} bytes")
        metadata += max(_MESSAGE_BYTES, message.metadata.size)
        if metadata > BATCH_BYTES_MAX:
            raise TooLarge(
                f"the metadata of a stream has at most {BATCH_BYTES_MAX:,} bytes, of which a"
                f" message has {_MESSAGE_BYTES:,} or more; send larger record batches"
            )
        if message.type != "schema" and _is_compressed(message):
            raise InvalidInput(
                "the buffers of the Arrow stream are compressed; send them plain", "$"
            )
        if message.type == "dictionary":
            dictionaries += message.metadata.size + message.body.size
        if dictionaries > BATCH_BYTES_MAX:
            raise TooLarge(f"dictionaries have at most {BATCH_BYTES_MAX:,} bytes together")
    if not begun:
        raise InvalidInput("the body is empty; an Arrow stream begins with a schema", "$")
    if source.left:
        raise InvalidInput("something follows the end of the Arrow stream", "$")


class _Source:
    """The body as Arrow reads it: no message may claim more than there is, or too much.

    What lies in memory is not copied.

    left  bytes that are not read yet
    """

    closed = False

    def __init__(self, body: IO[bytes]) -> None:
        begins = body.read(len(_MARK))
        if begins and begins != _MARK:
            raise InvalidInput("the body is not an Arrow IPC stream", "$")
        self.left = body.seek(0, io.SEEK_END)
        body.seek(0)
        self._body = body
        self._memory = body.getbuffer() if isinstance(body, io.BytesIO) else None

    def again(self) -> IO[bytes] | pa.Buffer:
        """The body from its begin."""
        self._body.seek(0)
        return self._body if self._memory is None else pa.py_buffer(self._memory)

    def read(self, size: int) -> bytes | memoryview:
        """The next bytes; none at the end."""
        if size > self.left > 0:
            raise InvalidInput("the Arrow stream is cut off", "$")
        if size > BATCH_BYTES_MAX < self.left:
            raise TooLarge(
                f"a record batch has at most {BATCH_BYTES_MAX:,} bytes; a stream may have any"
                " number of them"
            )
        found: bytes | memoryview
        if self._memory is None:
            found = self._body.read(size)
        else:
            start = len(self._memory) - self.left
            found = self._memory[start : start + size]
        self.left -= len(found)
        return found

    def close(self) -> None:
        """The body is closed by its owner."""


_TYPES: Final = frozenset({"schema", "dictionary", "record batch"})

# The numbers of fields that hold tables: of a message, of a dictionary, and of a record batch.
_HEADER: Final = 2
_DICTIONARY_DATA: Final = 1
_COMPRESSION: Final = 3


def _is_compressed(message: pa.Message) -> bool:
    """Whether the buffers are compressed: a few of them could become gigabytes.

    Arrow reads this from the metadata and does not tell. They are a flatbuffer that it has
    verified, tables within each other.
    """
    metadata = message.metadata.to_pybytes()
    records = _table(metadata, struct.unpack_from("<I", metadata)[0], _HEADER)
    if message.type == "dictionary":
        records = _table(metadata, records, _DICTIONARY_DATA)
    return _table(metadata, records, _COMPRESSION) > 0


def _table(metadata: bytes, table: int, field: int) -> int:
    """Where the table lies that is a field of another; 0 where there is none."""
    if not table:
        return 0
    fields = table - struct.unpack_from("<i", metadata, table)[0]
    entry = 4 + 2 * field
    if entry >= struct.unpack_from("<H", metadata, fields)[0]:
        return 0
    place: int = table + struct.unpack_from("<H", metadata, fields + entry)[0]
    return 0 if place == table else place + struct.unpack_from("<I", metadata, place)[0]


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

    def unit_texts(self) -> bytes:
        """Each unit as a line of JSON, `null` for what is none."""
        by_kind = {kind: _values(self._batch.column(n)) for kind, n in self._columns.items()}
        units: Any = by_kind.get("")
        if units is None:
            rows = zip(*by_kind.values(), strict=True)
            units = [dict(zip(by_kind, row, strict=True)) for row in rows]
        return _encode.encode_lines(units)

    def unit_columns(self) -> dict[str, pa.Array]:
        """The columns of units; those of text are null where they are not UTF-8."""
        return {name: _text(self._batch.column(name)) for name in self._columns.values()}


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
        if viewed_bytes(column) > _VIEWED_BYTES_MAX:
            raise TooLarge(
                f"the texts that views name have at most {_VIEWED_BYTES_MAX:,} bytes together in"
                " a column of a record batch, each counted as often as it is named"
            )
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            plain = AS_BYTES.get(column.type) if name in units else None
            if plain is None:
                raise
            column = column.view(plain)
            column.validate(full=True)
            batch = batch.set_column(place, name, column)
        if name in units and spare_bytes(column) > BATCH_BYTES_MAX:
            raise TooLarge(
                f"units of more than {UNIT_KEY_BYTES_MAX:,} bytes, which are none, have at most"
                f" {BATCH_BYTES_MAX:,} bytes together in a record batch"
            )
    return batch


# Some tenth of a second to look at.
_VIEWED_BYTES_MAX: Final = 4 << 30

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
