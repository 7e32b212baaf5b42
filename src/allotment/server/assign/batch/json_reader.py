"""A batch as one JSON document: `units`, what is known of them, and `experiments`.

None of it is answered unless all of it can be read. To read 64 MiB at once would take a third of a
second, during which no other thread of the process runs, and many times its size in memory. So the
arrays of a large document are cut at their commas, and read twice, piece by piece.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any, Final, TypeAlias, TypeVar

import msgspec
import numpy as np
from msgspec import UNSET, Raw, Struct, UnsetType

from allotment.errors import InvalidInput, TooLarge
from allotment.kernel.json_ids import json_ids
from allotment.kernel.json_shape import JsonShape
from allotment.server.assign.batch.options import PIECE_VALUES_MAX
from allotment.server.assign.batch.rows import UnitRows, check_attributes
from allotment.server.assign.bodies import BatchRequest
from allotment.server.http.decoding import MALFORMED, refusal

# Reading so much takes some milliseconds, as with a single request.
_WHOLE_BYTES: Final = 1 << 20
_PIECE_BYTES: Final = 256 << 10

# Of a list of plain texts so many are read at a time.
_ROWS: Final = 1 << 15

# So many elements stay together: arrays that run side by side are cut at the same places.
GROUP: Final = 64

# No segment reads more, and no client sends more.
_COLUMNS_MAX: Final = 1_000

_UNEVEN: Final = "there are as many mappings, or values of each attribute, as there are units"

_Mappings: TypeAlias = list[dict[str, Any] | None]


class _Document(Struct, forbid_unknown_fields=True):
    """A `BatchRequest` of which the arrays are not read yet."""

    units: Raw
    attributes: Raw = Raw(b"null")
    experiments: Raw | UnsetType = UNSET


_asked: Final = msgspec.json.Decoder(BatchRequest)
_document: Final = msgspec.json.Decoder(_Document)
_columns: Final = msgspec.json.Decoder(dict[str, Raw])
_values: Final = msgspec.json.Decoder(list[Any])
_mappings: Final = msgspec.json.Decoder(_Mappings)
_names: Final = msgspec.json.Decoder(list[str])

_T = TypeVar("_T")


def read_document(body: IO[bytes]) -> tuple[list[str] | None, Iterator[UnitRows]]:
    """The experiments that are asked for, None for all, and blocks of rows: at least one."""
    text = body.read()
    return read_plain(text) or _read_any(text)


def read_plain(
    text: bytes, beside: int = _WHOLE_BYTES
) -> tuple[list[str] | None, Iterator[UnitRows]] | None:
    """The same of a document with a list of plain ids alone, read where it lies; else None.

    All that is `beside` the list has so many bytes at the most.
    """
    plain = json_ids(text, b"units", _ROWS, _WHOLE_BYTES)
    if plain is not None and plain.beside <= beside:
        with suppress(*MALFORMED):  # what is wrong is said of the whole
            asked = _asked.decode(plain.rest)
            if asked.attributes is None:
                return _named(asked), map(UnitRows, plain.blocks())
    return None


def _read_any(text: bytes) -> tuple[list[str] | None, Iterator[UnitRows]]:
    if len(text) <= _WHOLE_BYTES:
        asked = _read(_asked, text, "$")
        blocks = iter([_checked(UnitRows(asked.units, asked.attributes), len(text))])
        return _named(asked), blocks
    document = _read(_document, text, "$")
    experiments = None if document.experiments is UNSET else _experiments(document.experiments)
    arrays = _Arrays(document)
    for _ in arrays.blocks():
        pass
    return experiments, arrays.blocks()


def _named(asked: BatchRequest) -> list[str] | None:
    return None if asked.experiments is UNSET else asked.experiments


def _experiments(text: Raw) -> list[str]:
    """The names, which every row is answered for: as many as a small document can have."""
    if len(memoryview(text)) > _WHOLE_BYTES:
        message = f"the experiments of a batch have at most {_WHOLE_BYTES:,} bytes of JSON"
        raise TooLarge(message)
    return _read(_names, text, "$.experiments")


class _Arrays:
    """The arrays of a large document: one of units, and those of attributes at its side."""

    def __init__(self, document: _Document) -> None:
        """Raises InvalidInput where they are not arrays, or not of one length."""
        self._units = Elements(document.units, "$.units")
        self._known: Elements | Mapping[str, Elements] | None = None
        begins = bytes(memoryview(document.attributes)[:1])
        if begins == b"{":
            _check_columns(memoryview(document.attributes))
            columns = _read(_columns, document.attributes, "$.attributes")
            self._known = {
                name: Elements(each, "$.attributes[...]") for name, each in columns.items()
            }
            self._beside: Sequence[Elements] = [*self._known.values()]
        elif begins != b"n":  # null
            self._known = Elements(document.attributes, "$.attributes")
            self._beside = [self._known]
        else:
            self._beside = []
        if any(len(each) != len(self._units) for each in self._beside):
            raise InvalidInput(_UNEVEN, "$.attributes")

    def blocks(self) -> Iterator[UnitRows]:
        """All rows, some groups at a time."""
        arrays = [self._units, *self._beside]
        count = len(self._units)
        first = 0
        while first < count:
            stop, size, largest = first, 0, 0
            while stop < count and size <= _PIECE_BYTES:
                group = sum(each.size(stop, stop + 1) for each in arrays)
                stop, size, largest = stop + 1, size + group, max(largest, group)
            yield self._block(first, stop, largest)
            first = stop

    def _block(self, first: int, stop: int, size: int) -> UnitRows:
        shape = JsonShape()
        for each in (self._units, *self._beside):
            shape.feed(each.text(first, stop))
            if shape.values > PIECE_VALUES_MAX:
                raise TooLarge(
                    f"from $.units[{first * GROUP}] on: {GROUP} units in a row, with their"
                    f" attributes, have at most {PIECE_VALUES_MAX:,} values and names together"
                )
        known: _Mappings | dict[str, list[Any]] | None = None
        if isinstance(self._known, Elements):
            known = self._known.read(_mappings, first, stop)
        elif self._known is not None:
            known = {name: each.read(_values, first, stop) for name, each in self._known.items()}
        return _checked(UnitRows(self._units.read(_values, first, stop), known), size)


class Elements:
    """The elements of a JSON array, in groups of 64; the last group may have fewer, or none.

    The text is known to be JSON but for what its numbers and texts say.
    """

    def __init__(self, text: Raw, path: str) -> None:
        """Raises InvalidInput for what is no array."""
        self._text = memoryview(text)
        self._path = path
        if self._text[0] != ord("["):
            raise InvalidInput("this is an array", path)
        self._starts = array("q", [1])
        elements = 0
        for place in _commas(self._text):
            begun = np.arange(elements + 1, elements + 1 + len(place))
            self._starts.extend((place[begun % GROUP == 0] + 1).tolist())
            elements += len(place)
        self._starts.append(len(self._text))

    def __len__(self) -> int:
        """How many groups there are."""
        return len(self._starts) - 1

    def size(self, first: int, stop: int) -> int:
        """How many bytes some groups take."""
        return self._starts[stop] - self._starts[first]

    def text(self, first: int, stop: int) -> memoryview:
        """Some groups as they are written."""
        return self._text[self._starts[first] : self._starts[stop] - 1]

    def read(self, decoder: msgspec.json.Decoder[_T], first: int, stop: int) -> _T:
        """Some groups as a list; raises InvalidInput with the place of what cannot be read."""
        within = bytes(self.text(first, stop))
        return _read(decoder, b"[%b]" % within, self._path, first * GROUP)


# The bytes that give JSON its structure, and how many levels each leads down.
_MARKS: Final = np.zeros(256, np.bool_)
_MARKS[list(b'",[]{}')] = True
_LEVELS: Final = np.zeros(256, np.int8)
_LEVELS[list(b"[{")] = 1
_LEVELS[list(b"]}")] = -1


def _commas(text: memoryview) -> Iterator[np.ndarray[Any, np.dtype[np.int64]]]:
    """The places of the commas between the elements of an array, in text that is JSON."""
    start = depth = quoted = 0
    while start < len(text):
        piece = bytes(text[start : start + _PIECE_BYTES])
        if (len(piece) - len(piece.rstrip(b"\\"))) % 2:  # what is escaped belongs to it
            piece = bytes(text[start : start + _PIECE_BYTES + 1])
        plain = np.frombuffer(piece.replace(rb"\\", b"  ").replace(rb"\"", b"  "), np.uint8)
        places = np.flatnonzero(_MARKS[plain])
        marks = plain[places]
        inside = (np.cumsum(marks == ord('"')) + quoted) % 2 == 1
        depths = np.cumsum(np.where(inside, 0, _LEVELS[marks])) + depth
        if len(places):
            depth, quoted = int(depths[-1]), int(inside[-1])
        yield places[(marks == ord(",")) & (depths == 1) & ~inside] + start
        start += len(piece)


def _check_columns(text: memoryview) -> None:
    """Refuse an object of too many members, before it is made."""
    members = 1
    for place in _commas(text):
        members += len(place)
        if members > _COLUMNS_MAX:
            raise InvalidInput(f"there are at most {_COLUMNS_MAX:,} columns", "$.attributes")


def _checked(rows: UnitRows, size: int) -> UnitRows:
    """The rows, once they are within the limits; none was written in more than `size` bytes."""
    known = rows.known
    if known is None:
        return rows
    columns = known.values() if isinstance(known, dict) else [known]
    for column in columns:
        if len(column) != rows.rows:
            raise InvalidInput(_UNEVEN, "$.attributes")
        for value in column:
            check_attributes(value, size)
    return rows


_PLACE: Final = re.compile(r"\$\[(\d+)\]")


def _read(
    decoder: msgspec.json.Decoder[_T], text: bytes | Raw, path: str, first: int | None = None
) -> _T:
    """What a text says; `path` is where it stands, from the element `first` on if there is one."""
    try:
        return decoder.decode(text)
    except MALFORMED as error:
        fault = refusal(error, bytes(text))
        within = fault.path or "$"
        if first is not None and (place := _PLACE.match(within)):
            within = f"$[{first + int(place[1])}]{within[place.end() :]}"
        raise InvalidInput(fault.message, path + within.removeprefix("$")) from None
