"""An Arrow stream cut into its messages as it comes, before anything reads them.

So a reader is only given what it can read at once, and never has to wait in a thread. What a
message claims about itself is held against limits here: a few bytes may claim to be gigabytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

from allotment.errors import InvalidInput, TooLarge
from allotment.server.limits import BATCH_BYTES_MAX

_CONTINUATION: Final = 0xFFFFFFFF
_PREFIX: Final = struct.Struct("<Ii")
_METADATA_BYTES_MAX: Final = 4 << 20

# Slots in the tables that a message is made of.
_HEADER_TYPE, _HEADER, _BODY_LENGTH = 1, 2, 3
_DICTIONARY_DATA: Final = 1
_COMPRESSION: Final = 3


class Kind(IntEnum):
    """What a message is."""

    SCHEMA = 1
    DICTIONARY = 2
    RECORDS = 3


class Frame(NamedTuple):
    """One message: all of its bytes, and how many of them are its body."""

    kind: Kind
    message: bytes
    body: int


class Frames:
    """Collects bytes, and gives out messages that are whole."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ended = False

    @property
    def held(self) -> int:
        """How many bytes of an unfinished message there are."""
        return len(self._bytes)

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """The messages that are whole with these bytes.

        Raises InvalidInput for what is no Arrow stream, TooLarge for a message that is too large.
        """
        self._bytes += chunk
        while len(self._bytes) >= _PREFIX.size and not self._ended:
            mark, size = _PREFIX.unpack_from(self._bytes)
            if mark != _CONTINUATION or not 0 <= size <= _METADATA_BYTES_MAX:
                raise _not_arrow()
            body = _PREFIX.size + size
            if size == 0:
                self._ended = True
            elif len(self._bytes) < body:
                return
            else:
                kind, length = _inspect(bytes(self._bytes[_PREFIX.size : body]))
                if len(self._bytes) < body + length:
                    return
                yield Frame(kind, bytes(self._bytes[: body + length]), length)
                body += length
            del self._bytes[:body]
        if self._bytes and self._ended:
            raise InvalidInput("something follows the end of the Arrow stream", "$")

    def end(self) -> None:
        """The body is over; raises InvalidInput where the stream is not."""
        if self._bytes:
            raise InvalidInput("the Arrow stream is cut off", "$")


def _not_arrow() -> InvalidInput:
    return InvalidInput("the body is not an Arrow IPC stream", "$")


def _inspect(metadata: bytes) -> tuple[Kind, int]:
    """What a message is, and how long its body."""
    try:
        message = _follow(metadata, 0)
        kind = Kind(metadata[_slot(metadata, message, _HEADER_TYPE)])
        place = _slot(metadata, message, _BODY_LENGTH)
        length = _number(metadata, place, "<q") if place else 0
        records = _follow(metadata, _slot(metadata, message, _HEADER))
        if kind is Kind.DICTIONARY:
            records = _follow(metadata, _slot(metadata, records, _DICTIONARY_DATA))
        compressed = kind is not Kind.SCHEMA and _slot(metadata, records, _COMPRESSION) > 0
    except (struct.error, IndexError, ValueError):
        raise _not_arrow() from None
    if compressed:
        raise InvalidInput("the buffers of the Arrow stream are compressed; send them plain", "$")
    if not 0 <= length <= BATCH_BYTES_MAX:
        raise TooLarge(
            f"a record batch has at most {BATCH_BYTES_MAX:,} bytes; a stream may have any number"
            " of them"
        )
    return kind, length


def _follow(metadata: bytes, place: int) -> int:
    """Where the table lies that a place points to."""
    return place + _number(metadata, place, "<I")


def _slot(metadata: bytes, table: int, slot: int) -> int:
    """Where a field of a table lies; 0 where the table does not have it."""
    slots = table - _number(metadata, table, "<i")
    entry = 4 + 2 * slot
    if entry >= _number(metadata, slots, "<H"):
        return 0
    offset = _number(metadata, slots + entry, "<H")
    return table + offset if offset else 0


def _number(metadata: bytes, place: int, form: str) -> int:
    if place < 0:  # would count from the end
        raise IndexError
    number: int = struct.unpack_from(form, metadata, place)[0]
    return number
