"""CSV files (RFC 4180, UTF-8, a header line): unit keys are text exactly as written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
from pyarrow import csv

from allotment.errors import InvalidInput
from allotment.frames.csvlines import BLOCK_BYTES, CsvLines
from allotment.frames.rows import Compared, Rows, Source, Wanted, check_columns, reading


@contextmanager
def open_csv(path: Path, wanted: Wanted) -> Iterator[Source]:
    """The rows of a CSV file. An empty field without quotes is null, in text too.

    Unit columns and attributes that are compared with text are read as text, those compared with
    numbers as numbers, those compared with booleans as true and false (or True, TRUE, ...), others
    as what their values in the first block look like. A later value of another type, as a row with
    a field too many, raises InvalidInput with the row's number, where the header is row 1. A value
    holds no line break, and a line no more than 1 MiB.
    """
    units = dict.fromkeys(wanted.units.values(), pa.string())
    with reading(path), path.open("rb") as file:
        looks = _open(CsvLines(path, file), None, units).schema
    absent = check_columns(path, looks.names, wanted)
    for name in units.keys() & wanted.attributes.keys():
        how = wanted.attributes[name]
        if how in (Compared.NUMBER, Compared.BOOLEAN):
            raise InvalidInput(
                f"{path} has the units in {name!r}, which a CSV file holds as text, "
                f"and a segment compares that column with {how.value}s"
            )
    there = {name: how for name, how in wanted.attributes.items() if name not in absent}
    types = {name: _type(how, looks.field(name).type) for name, how in there.items()} | units
    with reading(path):
        opened = path.open("rb")
    with opened as file:
        lines = CsvLines(path, file)
        with reading(path):
            reader = _open(lines, sorted(types), types)
        yield _CsvSource(path, lines, reader, wanted, absent)


class _CsvSource:
    measure = "bytes"

    def __init__(
        self,
        path: Path,
        lines: CsvLines,
        reader: csv.CSVStreamingReader,
        wanted: Wanted,
        absent: frozenset[str],
    ) -> None:
        self.absent = absent
        self.types = dict.fromkeys(wanted.units.values(), pa.string())
        self.total = path.stat().st_size
        self._path, self._lines, self._reader, self._wanted = path, lines, reader, wanted

    def done(self) -> int:
        return self._lines.done

    def batches(self) -> Iterator[Rows]:
        attributes = sorted(self._wanted.attributes.keys() - self.absent)
        with reading(self._path):
            for batch in self._reader:
                units = {kind: batch.column(name) for kind, name in self._wanted.units.items()}
                written = {name: batch.column(name) for name in self.types}
                yield Rows(units, written, batch.select(attributes))


def _open(
    lines: CsvLines, columns: list[str] | None, types: dict[str, pa.DataType]
) -> csv.CSVStreamingReader:
    return csv.open_csv(
        pa.PythonFile(lines, mode="r"),
        # On one thread the parser knows the number of the row it complains about.
        csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
        csv.ParseOptions(newlines_in_values=False),
        csv.ConvertOptions(
            include_columns=columns,
            column_types=types,
            null_values=[""],  # nothing else: NA is Namibia
            true_values=["true", "True", "TRUE"],  # 1 and 0 are numbers
            false_values=["false", "False", "FALSE"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _type(how: Compared, looks: pa.DataType) -> pa.DataType:
    """The type to read an attribute as; a number is an integer if the first ones look like it."""
    if how is Compared.TEXT:
        return pa.string()
    if how is Compared.BOOLEAN:
        return pa.bool_()
    if how is Compared.NUMBER:
        return looks if pa.types.is_integer(looks) else pa.float64()
    numeric = pa.types.is_integer(looks) or pa.types.is_floating(looks)
    return looks if numeric or pa.types.is_boolean(looks) else pa.string()


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
