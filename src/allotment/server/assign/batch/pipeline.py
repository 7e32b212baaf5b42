"""From the body of a batch to its answer: the reader and the writer that the request asks for."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice
from typing import IO, Final, NamedTuple

from allotment.server.assign.batch.columns import Columns, Look, Piece
from allotment.server.assign.batch.json_reader import read_document, read_plain
from allotment.server.assign.batch.json_writer import write_document, write_lines
from allotment.server.assign.batch.ndjson_reader import read_lines
from allotment.server.assign.batch.options import BatchOptions
from allotment.server.assign.batch.rows import UnitBlock
from allotment.server.http.media import MediaForm
from allotment.server.sync.spaces import Served

# What is read on the loop beside a list of ids: the names of some experiments.
_BESIDE_BYTES: Final = 8 << 10


class Ids(NamedTuple):
    """Units of which nothing else is known, and the experiments that are asked for; None: all."""

    experiments: list[str] | None
    units: UnitBlock


def read_ids(options: BatchOptions, body: io.BytesIO) -> Ids | None:
    """The ids of a body that holds no attributes, and the experiments that it names.

    To read a megabyte takes well under a millisecond. None where there is more in the body, or
    something is wrong with it.
    """
    match options:
        case BatchOptions(given=MediaForm.JSON):
            plain = read_plain(body.getvalue(), _BESIDE_BYTES)
            experiments, blocks = plain or (None, iter(()))
            some = list(islice(blocks, 2))
            return Ids(experiments, some[0]) if len(some) == 1 else None
        case BatchOptions(given=MediaForm.ARROW, columns={"": column}):
            from allotment.server.assign.batch.arrow_reader import read_batch  # noqa: PLC0415

            records = read_batch(body, column)
            return None if records is None else Ids(options.experiments, records)
    return None


def answers(
    served: Served, options: BatchOptions, body: IO[bytes], look: Look, ids: Ids | None = None
) -> Iterator[Piece]:
    """The answer in pieces. It blocks: threads ask for them, one at a time.

    `look` says what the store keeps, and `ids` what is read of the body already. Raises
    InvalidInput for what is wrong with the body.
    """
    if ids is None:
        experiments, blocks = _read(options, body)
    else:
        experiments, blocks = ids.experiments, iter([ids.units])
    columns = Columns(served, experiments, look)
    match options.wanted:
        case MediaForm.JSON:
            yield from write_document(columns, blocks)
        case MediaForm.NDJSON:
            yield from write_lines(columns, blocks)
        case MediaForm.ARROW:
            from allotment.server.assign.batch.arrow_writer import write_stream  # noqa: PLC0415

            yield from write_stream(columns, blocks)


def _read(options: BatchOptions, body: IO[bytes]) -> tuple[list[str] | None, Iterator[UnitBlock]]:
    """The experiments that are asked for, and blocks of rows: at least one, which may be empty."""
    match options.given:
        case MediaForm.JSON:
            return read_document(body)
        case MediaForm.NDJSON:
            return options.experiments, read_lines(body)
        case MediaForm.ARROW:
            from allotment.server.assign.batch.arrow_reader import read_stream  # noqa: PLC0415

            return options.experiments, read_stream(body, options.columns)
