"""The three forms of file, known by the end of a name or by an option."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import pyarrow as pa

from allotment.errors import InvalidInput
from allotment.frames.csvfile import CsvSink, open_csv
from allotment.frames.ndjsonfile import NdjsonSink, open_ndjson
from allotment.frames.parquetfile import ParquetSink, open_parquet
from allotment.frames.rows import RowSource, Wanted


class Form(StrEnum):
    """A form of file."""

    PARQUET = "parquet"
    CSV = "csv"
    NDJSON = "ndjson"


# The ends of a file's name, each with the form that it tells.
ENDINGS: Final = {
    ".parquet": Form.PARQUET,
    ".csv": Form.CSV,
    ".ndjson": Form.NDJSON,
    ".jsonl": Form.NDJSON,
}


class TableSink(Protocol):
    """Somewhere to write record batches of one schema; closing writes what ends the file."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Write one batch."""

    def close(self) -> None:
        """Write what is left."""

    def abandon(self) -> None:
        """Write no more, and leave quietly."""


_OPEN = {Form.PARQUET: open_parquet, Form.CSV: open_csv, Form.NDJSON: open_ndjson}
_SINK: dict[Form, Callable[[BinaryIO, pa.Schema], TableSink]] = {
    Form.PARQUET: ParquetSink,
    Form.CSV: CsvSink,
    Form.NDJSON: NdjsonSink,
}


def form_of(path: Path) -> Form:
    """The form that the end of a name tells; raises InvalidInput where it tells none."""
    form = ENDINGS.get(path.suffix.lower())
    if form is None:
        endings = ", ".join(ENDINGS)
        raise InvalidInput(f"{path} does not tell its form: it ends in none of {endings}")
    return form


def open_source(path: Path, wanted: Wanted) -> AbstractContextManager[RowSource]:
    """The rows of a file whose name tells its form."""
    return _OPEN[form_of(path)](path, wanted)


@contextmanager
def open_sink(form: Form, file: BinaryIO, schema: pa.Schema) -> Iterator[TableSink]:
    """What writes record batches of `schema` into `file`; a block that fails ends no file."""
    sink = _SINK[form](file, schema)
    try:
        yield sink
        sink.close()
    except BaseException:
        sink.abandon()
        raise
