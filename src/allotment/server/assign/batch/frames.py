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
from allotment.server.http.limits import BATCH_BYTES_MAX

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
        self._needs = _PREFIX.size  # bytes, for more to be known of the next message
        self._next: tuple[Kind, int] | None = None  # what it is, once that is known
        self._before: list[Frame] = []  # what comes before the next record batch
        self._dictionaries = 0  # bytes of all of them, which a reader keeps
        self._begun = self._ended = False

    @property
    def held(self) -> int:
        """How many bytes are kept, here and by the reader."""
        return len(self._bytes) + self._dictionaries

    def add(self, chunk: bytes) -> bool:
        """Take up more bytes; whether a record batch is whole now.

        Raises InvalidInput for what is no Arrow stream, TooLarge for a message that is too large.
        """
        self._bytes += chunk
        return self._has_records()

    def take(self) -> Iterator[Frame]:
        """The messages that are whole; raises what `add` does."""
        while self._has_records():
            self._before.append(self._cut())
            yield from self._left()
        yield from self._left()

    def _left(self) -> list[Frame]:
        left, self._before = self._before, []
        return left

    def _has_records(self) -> bool:
        while len(self._bytes) >= self._needs and not self._ended:
            if self._next is None:
                self._look()
            elif self._next[0] is Kind.RECORDS:
                return True
            else:
                self._before.append(self._cut())
        if self._bytes and self._ended:
            raise InvalidInput("something follows the end of the Arrow stream", "$")
        return False

    def _cut(self) -> Frame:
        """Take the next message, which is whole, from the bytes."""
        assert self._next is not None
        with memoryview(self._bytes) as view:
            frame = Frame(self._next[0], bytes(view[: self._needs]), self._next[1])
        del self._bytes[: self._needs]
        self._needs, self._next = _PREFIX.size, None
        return frame

    def _look(self) -> None:
        """Find out more of the next message: how long its metadata is, then what they say."""
        mark, size = _PREFIX.unpack_from(self._bytes)
        if mark != _CONTINUATION or not 0 <= size <= _METADATA_BYTES_MAX:
            raise _not_arrow()
        if size == 0:
            self._ended = True
            del self._bytes[: _PREFIX.size]
        elif self._needs == _PREFIX.size:
            self._needs += size
        else:
            kind, body = _inspect(bytes(self._bytes[_PREFIX.size : self._needs]))
            if (kind is Kind.SCHEMA) is self._begun:
                raise _not_arrow()  # it begins with a schema, and there is no second
            self._begun = True
            self._needs += body
            self._next = kind, body
            if kind is Kind.DICTIONARY:
                self._dictionaries += self._needs
            if self._dictionaries > BATCH_BYTES_MAX:
                raise TooLarge(f"dictionaries have at most {BATCH_BYTES_MAX:,} bytes together")

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
