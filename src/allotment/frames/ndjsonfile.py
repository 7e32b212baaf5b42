"""NDJSON files: a JSON object a line; attributes nest, and mean what they do in a single call."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final

import msgspec
import pyarrow as pa

from allotment.errors import InvalidInput
from allotment.frames.rows import Rows, RowSource, Wanted, reading
from allotment.frames.textfile import TextFile, open_text
from allotment.kernel.json_shape import JsonShape

_BLOCK_BYTES: Final = 1 << 22

# What a line becomes takes up to 30 times its bytes, and Python objects that nest some hundred deep
# are not safe to free.
_LINE_BYTES_MAX: Final = 1 << 20
_DEPTH_MAX: Final = 96

_BOM: Final = b"\xef\xbb\xbf"
_HALF: Final = "text with half a character: a \\u escape of a surrogate without its other half"

_Row = dict[str, object]
_decoder: Final = msgspec.json.Decoder(_Row)
_encoder: Final = msgspec.json.Encoder()

# Bytes that are not UTF-8 and nesting without end are errors of their own to the decoder.
_MALFORMED: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@contextmanager
def open_ndjson(path: Path | None, wanted: Wanted) -> Iterator[RowSource]:
    """The rows of an NDJSON file; None is standard input.

    A unit is text or an integer; the result has it as text.

    What stands in the unit's place and is neither is no unit; the result has its JSON, to find the
    row by. Other columns are written alike. The unit column `user.id` is the row's key of that
    name, or else the key `id` of the object under `user`. A line that is not a JSON object raises
    InvalidInput with its row.
    """
    with open_text(path) as file:
        yield _NdjsonSource(file, wanted)


class _NdjsonSource:
    measure = "bytes"
    # A line may lack what others have.
    absent: frozenset[str] = frozenset()
    columns: Mapping[str, str] = MappingProxyType({})

    def __init__(self, file: TextFile, wanted: Wanted) -> None:
        self.types = dict.fromkeys(wanted.written, pa.string())
        self.total, self.done = file.total, file.done
        self._file, self._wanted = file, wanted
        self._at_start = True

    def batches(self) -> Iterator[Rows]:
        first = 1
        unseen = self.types.keys() - self._wanted.optional
        while lines := self._lines():
            rows = _decode(self._file.name, lines, first)
            first += len(lines)
            keys = {name: _column(rows, name) for name in self.types}
            unseen -= {name for name in unseen if any(key is not None for key in keys[name])}
            units = {kind: keys[name] for kind, name in self._wanted.units.items()}
            written = {name: pa.array(map(_text, keys[name]), pa.string()) for name in keys}
            yield Rows(units, written, rows)
        if unseen and first > 1:
            name = self._file.name
            raise InvalidInput(f"no line of {name} has {unseen.pop()!r}, which is asked for")

    def _lines(self) -> list[bytes]:
        with reading(self._file.name):
            block = self._file.read(_BLOCK_BYTES)
            if not block.endswith(b"\n"):
                block += self._file.readline(_LINE_BYTES_MAX + 1)
            lines = io.BytesIO(block).readlines()
        if self._at_start and lines:
            lines[0], self._at_start = lines[0].removeprefix(_BOM), False
        return lines


def _column(rows: list[_Row], name: str) -> list[object]:
    if "." not in name:
        return [row.get(name) for row in rows]
    path = name.split(".")
    return [row[name] if name in row else _at(row, path) for row in rows]


def _at(value: object, path: list[str]) -> object:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _decode(name: str, lines: list[bytes], first: int) -> list[_Row]:
    if any(map(_fault, lines)):
        return list(_one_by_one(name, lines, first))
    try:
        rows = _decoder.decode_lines(b"".join(lines))
        # It takes two objects in a line, and one that goes over two lines of the same block.
        if len(rows) == sum(map(bool, map(bytes.strip, lines))):
            return rows
    except _MALFORMED:
        pass
    return list(_one_by_one(name, lines, first))


def _one_by_one(name: str, lines: list[bytes], first: int) -> Iterator[_Row]:
    for number, line in enumerate(lines, first):
        if line.strip():
            if fault := _fault(line):
                raise InvalidInput(f"{name} cannot be read: row #{number}: the line is {fault}")
            try:
                yield _decoder.decode(line)
            except _MALFORMED as error:
                said = _HALF if _has_half_a_character(line) else error
                raise InvalidInput(f"{name} cannot be read: row #{number}: {said}") from error


def _fault(line: bytes) -> str:
    """What keeps a line from being decoded at all; empty where nothing does."""
    if len(line) > _LINE_BYTES_MAX:
        return "longer than 1 MiB"
    if line.count(b"[") + line.count(b"{") > _DEPTH_MAX:  # so few cannot nest deeper
        shape = JsonShape()
        shape.feed(line)
        if shape.deepest > _DEPTH_MAX:
            return f"nested deeper than {_DEPTH_MAX} levels"
    return ""


def _has_half_a_character(line: bytes) -> bool:
    """Whether a line is JSON, but with text that no Unicode text can be: a lone surrogate."""
    try:
        json.dumps(json.loads(line), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        pass
    return False


def _text(key: object) -> str | None:
    if key is None or isinstance(key, str):
        return key
    return _encoder.encode(key).decode()


class NdjsonSink:
    """Writes one JSON object a row."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._file, self._names = file, schema.names

    def write(self, batch: pa.RecordBatch) -> None:
        """Write one batch."""
        columns = [column.to_pylist() for column in batch.columns]
        rows = (dict(zip(self._names, row, strict=True)) for row in zip(*columns, strict=True))
        self._file.write(_encoder.encode_lines(rows))

    def close(self) -> None:
        """Write what is left: nothing."""

    def abandon(self) -> None:
        """Write no more: nothing waits."""
