"""The course of one batch, from bytes of a request to bytes of an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

from allotment.engine import Column
from allotment.errors import InvalidInput
from allotment.server.assign.batch.block import Block
from allotment.server.assign.batch.document import DocumentSource
from allotment.server.assign.batch.lines import LinesSource
from allotment.server.assign.batch.sticky import Look
from allotment.server.assign.batch.text import Document, Lines
from allotment.server.assign.batch.wanted import Wanted
from allotment.server.http.media import Form
from allotment.server.sync.spaces import Served

# What may stand in the query: a document says all that itself.
_PARAMETERS: Final = {
    Form.JSON: frozenset[str](),
    Form.NDJSON: frozenset({"experiment"}),
    Form.ARROW: frozenset({"experiment", "unit"}),
}


class Source(Protocol):
    """Makes blocks of a body; there is at least one, which may be empty."""

    @property
    def experiments(self) -> list[str] | None:
        """What is asked for, known by the time the first block is out; None is all."""

    @property
    def held(self) -> int:
        """How many bytes are kept."""

    def feed(self, chunk: bytes) -> Iterator[Block] | None:
        """The blocks that are whole with this much more of the body; None for none yet."""

    def end(self) -> Iterator[Block]:
        """The blocks that are left, now that the body is whole."""


class Sink(Protocol):
    """Makes bytes of answers."""

    def begin(self, first: Block) -> bytes:
        """What comes before the answers to the first block."""

    def show(self, part: Block, columns: Mapping[str, Column]) -> bytes:
        """The answers to some units."""

    def end(self) -> bytes:
        """What comes after the last answer."""


class Course:
    """Takes up a body and gives out the answers. It blocks: threads call it, one at a time."""

    def __init__(
        self,
        served: Served,
        given: Form,
        wanted: Form,
        query: Sequence[tuple[str, str]],
        look: Look,
    ) -> None:
        """Raises InvalidInput for what the query may not say. `look` says what is kept."""
        self._served = served
        self._look = look
        self._form = wanted
        self._source = _source(given, query)
        self._wanted: Wanted | None = None
        self._sink: Sink | None = None

    @property
    def held(self) -> int:
        """How many bytes are kept of what cannot be answered yet."""
        return self._source.held

    def feed(self, chunk: bytes, *, last: bool) -> Iterator[bytes] | None:
        """What can be answered with this much more of the body; None for nothing yet."""
        blocks = self._source.feed(chunk)
        if last:
            return self._end(blocks)
        return None if blocks is None else self._answers(blocks)

    def _end(self, blocks: Iterator[Block] | None) -> Iterator[bytes]:
        """All that is left to answer, now that the body is whole."""
        if blocks is not None:
            yield from self._answers(blocks)
        yield from self._answers(self._source.end())
        assert self._sink is not None, "a source makes at least one block"
        yield self._sink.end()

    def _answers(self, blocks: Iterator[Block]) -> Iterator[bytes]:
        for block in blocks:
            if self._wanted is None or self._sink is None:
                self._wanted = Wanted(self._served, self._source.experiments, self._look)
                self._sink = _sink(self._form, self._wanted)
                yield self._sink.begin(block)
            for part, columns in self._wanted.outcomes(block):
                yield self._sink.show(part, columns)


def _source(form: Form, query: Sequence[tuple[str, str]]) -> Source:
    allowed = _PARAMETERS[form]
    for name, value in query:
        if name not in allowed or not value:
            known = " and ".join(sorted(allowed)) or "none, for the document says it all"
            raise InvalidInput(f"the query parameters of such a batch: {known}", "query")
    experiments = [value for name, value in query if name == "experiment"] or None
    if form is Form.JSON:
        return DocumentSource()
    if form is Form.NDJSON:
        return LinesSource(experiments)
    from allotment.server.assign.batch.records import RecordsSource  # noqa: PLC0415  # pyarrow

    return RecordsSource(_columns([v for name, v in query if name == "unit"]), experiments)


def _columns(named: Sequence[str]) -> Mapping[str, str]:
    """Kinds of units to columns; under "" the only column, where no kind is named."""
    if not named:
        return {"": "unit"}
    if len(named) == 1 and "=" not in named[0]:
        return {"": named[0]}
    columns: dict[str, str] = {}
    for each in named:
        kind, _, column = each.partition("=")
        if not kind or not column or kind in columns or column in columns.values():
            raise InvalidInput(
                "name one column of units, or for each kind its own as in unit=KIND=COLUMN",
                "query.unit",
            )
        columns[kind] = column
    return columns


def _sink(form: Form, wanted: Wanted) -> Sink:
    if form is Form.JSON:
        return Document(wanted)
    if form is Form.NDJSON:
        return Lines(wanted)
    from allotment.server.assign.batch.stream import Stream  # noqa: PLC0415  # pyarrow

    return Stream(wanted)
