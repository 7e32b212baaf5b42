"""CSV files (RFC 4180, UTF-8, a header line): unit keys are text exactly as written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
from pyarrow import csv

from allotment.frames.csvlines import Block, CsvLines
from allotment.frames.csvvalues import Malformed, check_text, values_of
from allotment.frames.rows import Rows, RowSource, Wanted, check_columns, reading
from allotment.frames.textfile import TextFile, open_text

_FIRST_LINE: Final = re.compile(rb"[\r\n]*[^\r\n]+(?:\r\n|\r|\n|\Z)")

# As many as spreadsheets have. The parser takes some ten kilobytes for each, whether or not it is
# wanted.
_COLUMNS_MAX: Final = 16_384


@contextmanager
def open_csv(path: Path | None, wanted: Wanted) -> Iterator[RowSource]:
    """The rows of a CSV file; None is standard input.

    An empty field without quotes is null, in text too.
    Unit columns are text, and an attribute is what segments compare it with: `csvvalues` has the
    rule. What is no such value raises InvalidInput with the line and the column's name, as a row
    with a field too many does. A value holds no line break, and a line no more than 1 MiB.
    """
    with open_text(path) as file:
        yield _CsvSource(file, wanted)


class _CsvSource:
    measure = "bytes"

    def __init__(self, file: TextFile, wanted: Wanted) -> None:
        self.total, self.done = file.total, file.done
        self._lines = CsvLines(file)
        blocks = self._lines.blocks()
        header, rest = _split(next(blocks, Block(b"", 0)))
        if not header:
            raise self._lines.refused(1, "is empty; a CSV file begins with the columns' names")
        if header.count(b",") >= _COLUMNS_MAX:
            raise self._lines.refused(rest.before, f"has more than {_COLUMNS_MAX:,} columns")
        self._blocks = chain([rest], blocks)
        with reading(file.name):
            self._names: list[str] = csv.read_csv(pa.BufferReader(header + b"\n")).column_names
        self.absent = check_columns(file.name, self._names, wanted)
        self.types = {name: pa.string() for name in wanted.written if name in self._names}
        read = (*self.types, *(wanted.attributes.keys() - self.absent))
        self.columns = dict.fromkeys(read, "text")
        self._units = wanted.units
        self._attributes = {
            name: kinds for name, kinds in wanted.attributes.items() if name not in self.absent
        }

    def batches(self) -> Iterator[Rows]:
        for block in self._blocks:
            if not block.data.strip(b"\r\n"):
                continue
            columns = self._columns(block)
            try:
                for name, column in columns.items():
                    check_text(name, column)
                attributes = {
                    name: values_of(name, columns[name], kinds)
                    for name, kinds in self._attributes.items()
                }
            except Malformed as error:
                raise self._lines.refused(block.line(error.row), error.said) from error
            units = {kind: columns[name] for kind, name in self._units.items()}
            yield Rows(units, {name: columns[name] for name in self.types}, attributes)

    def _columns(self, block: Block) -> dict[str, pa.Array]:
        """The wanted columns of a block as text that is not checked.

        The parser is given whole lines and works in this thread. One that reads from a Python file
        does so ahead, in a thread of its own; where the interpreter ends before that thread, the
        process is aborted.
        """
        wanted = sorted({*self.types, *self._attributes})
        faults: list[csv.InvalidRow] = []

        def refuse(row: csv.InvalidRow) -> str:
            faults.append(row)
            return "error"

        try:
            table = csv.read_csv(
                pa.BufferReader(block.data),
                csv.ReadOptions(
                    use_threads=False, block_size=len(block.data) + 1, column_names=self._names
                ),
                csv.ParseOptions(newlines_in_values=False, invalid_row_handler=refuse),
                csv.ConvertOptions(
                    check_utf8=False,
                    include_columns=wanted,
                    column_types=dict.fromkeys(wanted, pa.string()),
                    null_values=[""],  # nothing else: NA is Namibia
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as error:
            if not faults:
                raise self._lines.refused(block.before + 1, f"or one behind it: {error}") from error
            (fault,) = faults
            raise self._lines.refused(
                block.line(fault.number - 1),
                f"has {fault.actual_columns} values, and the header {fault.expected_columns}",
            ) from error
        return dict(zip(wanted, table.combine_chunks().to_batches()[0].columns, strict=True))


def _split(first: Block) -> tuple[bytes, Block]:
    """The first line that is not empty, and the lines behind it."""
    found = _FIRST_LINE.match(first.data)
    size = 0 if found is None else found.end()
    header, rest = first.data[:size], first.data[size:]
    return header.strip(b"\r\n"), Block(rest, len(header.splitlines()))


class CsvSink:
    """Writes record batches of one schema, with a header line; a null is an empty field."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._schema = pa.schema([(field.name, _spelled(field.type)) for field in schema])
        self._writer = csv.CSVWriter(file, self._schema)

    def write(self, batch: pa.RecordBatch) -> None:
        """Write one batch."""
        self._writer.write_batch(batch.cast(self._schema))

    def close(self) -> None:
        """Write what is left: nothing."""
        self._writer.close()

    def abandon(self) -> None:
        """Write no more: nothing waits."""


def _spelled(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
