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
from allotment.frames.textfile import COMPRESSED


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


_OPEN_TEXT = {Form.CSV: open_csv, Form.NDJSON: open_ndjson}
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


def tells_form(path: Path) -> bool:
    """Whether the end of a name tells a form that can be read; `.gz` or `.zst` may follow it."""
    return _plain(path).suffix.lower() in ENDINGS


def form_at(path: Path) -> Form:
    """The form of a file to read; raises InvalidInput where its name tells none."""
    form = form_of(_plain(path) if tells_form(path) else path)
    _check_plain(path, form)
    return form


def open_source(
    path: Path | None, wanted: Wanted, form: Form | None = None
) -> AbstractContextManager[RowSource]:
    """The rows of a file of a form, else of that which its name tells; None is standard input."""
    if path is None:
        assert form in _OPEN_TEXT, "what is asked for says its form"
        return _OPEN_TEXT[form](None, wanted)
    form = form_at(path) if form is None else form
    _check_plain(path, form)
    return open_parquet(path, wanted) if form is Form.PARQUET else _OPEN_TEXT[form](path, wanted)


def _plain(path: Path) -> Path:
    """A name without what tells how the file is compressed."""
    return path.with_suffix("") if path.suffix.lower() in COMPRESSED else path


def _check_plain(path: Path, form: Form) -> None:
    if form is Form.PARQUET and _plain(path) != path:
        raise InvalidInput(
            f"{path} cannot be read: Parquet is read from any place of the file, and compresses "
            "its own pages; unpack it"
        )


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
