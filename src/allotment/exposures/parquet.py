"""Exposures as Parquet: what was written line by line, turned into columns."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def write_parquet(lines: Path, into: Path) -> None:
    """Turn a file of lines into a Parquet file, in bounded memory, and see it safely on the disk.

    Raises ValueError for lines that are no exposures, OSError where the file cannot be written.
    """
    import pyarrow.json as pj  # noqa: PLC0415  # loads slowly, and few servers write Parquet
    import pyarrow.parquet as pq  # noqa: PLC0415

    schema = source_schema()
    options = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    with (
        pj.open_json(lines, parse_options=options) as reader,
        into.open("wb") as file,
    ):
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch)
        file.flush()
        os.fsync(file.fileno())


def source_schema() -> pa.Schema:
    """The columns of the assignment source; `variations` is the text of a JSON object."""
    import pyarrow as pa  # noqa: PLC0415

    text = pa.string()
    return pa.schema(
        [
            ("unit", text),
            ("unit_kind", text),
            ("experiment", text),
            ("iteration", pa.int32()),
            ("treatment", text),
            ("time", pa.timestamp("ms", "UTC")),
            ("revision", pa.int64()),
            ("space", text),
            ("allocation", text),
            ("reason", text),
            ("variations", text),
        ]
    )
