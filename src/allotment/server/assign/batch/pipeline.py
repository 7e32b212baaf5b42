"""From the body of a batch to its answer: the reader and the writer that the request asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from allotment.server.assign.batch.columns import Columns, Look, Piece
from allotment.server.assign.batch.json_reader import read_document
from allotment.server.assign.batch.json_writer import write_document, write_lines
from allotment.server.assign.batch.ndjson_reader import read_lines
from allotment.server.assign.batch.options import BatchOptions
from allotment.server.assign.batch.rows import UnitBlock
from allotment.server.http.media import MediaForm
from allotment.server.sync.spaces import Served


def answers(served: Served, options: BatchOptions, body: IO[bytes], look: Look) -> Iterator[Piece]:
    """The answer in pieces. It blocks: threads ask for them, one at a time.

    `look` says what the store keeps. Raises InvalidInput for what is wrong with the body.
    """
    experiments, blocks = _read(options, body)
    columns = Columns(served, experiments, look)
    match options.wanted:
        case MediaForm.JSON:
            yield from write_document(columns, blocks)
        case MediaForm.NDJSON:
            yield from write_lines(columns, blocks)
        case MediaForm.ARROW:
            from allotment.server.assign.batch.arrow import write_stream  # noqa: PLC0415  # slow

            yield from write_stream(columns, blocks)


def _read(options: BatchOptions, body: IO[bytes]) -> tuple[list[str] | None, Iterator[UnitBlock]]:
    """The experiments that are asked for, and blocks of rows: at least one, which may be empty."""
    match options.given:
        case MediaForm.JSON:
            return read_document(body)
        case MediaForm.NDJSON:
            return options.experiments, read_lines(body)
        case MediaForm.ARROW:
            from allotment.server.assign.batch.arrow import read_stream  # noqa: PLC0415  # slow

            return options.experiments, read_stream(body, options.columns)
