"""A batch as one JSON document: `units`, what is known of them, and `experiments`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET

from allotment.errors import InvalidInput, TooLarge
from allotment.server.assign.batch.block import Rows
from allotment.server.assign.batch.cut import Cut, cut_document
from allotment.server.assign.batch.elements import Elements
from allotment.server.assign.bodies import BatchRequest
from allotment.server.assign.reading import (
    ATTRIBUTES_BYTES_MAX,
    check_depth,
    check_size,
)
from allotment.server.http.decoding import MALFORMED, refusal
from allotment.server.http.limits import BATCH_BYTES_MAX

# Reading so much takes some milliseconds, as with a single request. A larger document is read in
# pieces.
_WHOLE_BYTES: Final = 1 << 20
_PIECE_BYTES: Final = 256 << 10

_UNEVEN: Final = "there are as many mappings, or values of each attribute, as there are units"
_NESTED: Final = (dict, list)

_Mappings = list[dict[str, Any] | None]
_Columns = dict[str, list[Any]]


_asked: Final = msgspec.json.Decoder(BatchRequest)
_values: Final = msgspec.json.Decoder(list[Any])
_mappings: Final = msgspec.json.Decoder(_Mappings)
_names: Final = msgspec.json.Decoder(list[str])
_encode: Final = msgspec.json.Encoder().encode

_T = TypeVar("_T")


class DocumentSource:
    """Takes the document up as it comes, and reads it once it is whole.

    experiments  what the document asks for, once its first block is out; None is all
    """

    def __init__(self) -> None:
        self.experiments: list[str] | None = None
        self._body = bytearray()

    @property
    def held(self) -> int:
        """How many bytes are kept."""
        return len(self._body)

    def feed(self, chunk: bytes) -> None:
        """Take up more of the body; raises TooLarge where that is too much."""
        if len(self._body) + len(chunk) > BATCH_BYTES_MAX:
            raise TooLarge(
                f"a batch of JSON has at most {BATCH_BYTES_MAX:,} bytes; NDJSON and Arrow may have"
                " any number"
            )
        self._body += chunk

    def end(self) -> Iterator[Rows]:
        """The blocks of the whole document; none of it is answered unless all of it can be read."""
        if len(self._body) <= _WHOLE_BYTES:
            yield self._whole(bytes(self._body))
            return
        cut = cut_document(self._body)
        if cut.experiments is not None:
            self.experiments = _read(_names, cut.experiments.text(0, len(cut.experiments)))
        for first, stop in _pieces(cut):
            _block(cut, first, stop)
        for first, stop in _pieces(cut):
            yield _block(cut, first, stop)

    def _whole(self, body: bytes) -> Rows:
        asked = _read(_asked, body)
        if asked.experiments is not UNSET:
            self.experiments = asked.experiments
        return _checked(Rows(asked.units, asked.attributes), len(body))


def _pieces(cut: Cut) -> Iterator[tuple[int, int]]:
    """Ranges of groups that are read together; at least one range."""
    arrays = _arrays(cut)
    if any(len(each) != len(cut.units) for each in arrays):
        raise InvalidInput(_UNEVEN, "$.attributes")
    first = stop = 0
    while stop < len(cut.units) or stop == 0:
        stop += 1
        while (
            stop < len(cut.units)
            and sum(each.size(first, stop + 1) for each in arrays) <= _PIECE_BYTES
        ):
            stop += 1
        yield first, min(stop, len(cut.units))
        first = stop


def _arrays(cut: Cut) -> list[Elements]:
    """The arrays that run side by side."""
    if cut.attributes is None:
        return [cut.units]
    if isinstance(cut.attributes, dict):
        return [cut.units, *cut.attributes.values()]
    return [cut.units, cut.attributes]


def _block(cut: Cut, first: int, stop: int) -> Rows:
    known: _Mappings | _Columns | None = None
    if isinstance(cut.attributes, dict):
        known = {n: _read(_values, each.text(first, stop)) for n, each in cut.attributes.items()}
    elif cut.attributes is not None:
        known = _read(_mappings, cut.attributes.text(first, stop))
    rows = Rows(_read(_values, cut.units.text(first, stop)), known)
    return _checked(rows, sum(each.size(first, stop) for each in _arrays(cut)))


def _checked(rows: Rows, size: int) -> Rows:
    """The rows, once they are within the limits; `size` is how many bytes they were written in."""
    known = rows.known
    if known is None:
        return rows
    columns = known.values() if isinstance(known, dict) else [known]
    for column in columns:
        if len(column) != rows.rows:
            raise InvalidInput(_UNEVEN, "$.attributes")
        for value in column:
            if isinstance(value, _NESTED):
                check_depth(value, "$.attributes")
                if size > ATTRIBUTES_BYTES_MAX:
                    check_size(len(_encode(value)), "$.attributes")
    return rows


def _read(decoder: msgspec.json.Decoder[_T], text: bytes) -> _T:
    try:
        return decoder.decode(text)
    except MALFORMED as error:
        raise refusal(error, text) from None
