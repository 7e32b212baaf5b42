"""Where the elements of a large JSON array end, found without reading them.

Reading 64 MiB of JSON at once takes a third of a second, during which no other thread of the
process runs. Here only the ends of elements are found; what lies between is read later, piece by
piece, by a reader that checks it. So a document that is not JSON may be cut wrongly, but then one
of the pieces is not JSON either.
"""

from __future__ import annotations

import re
from array import array
from typing import Final

from allotment.errors import InvalidInput
from allotment.server.http.decoding import DEPTH_MAX

# So many elements stay together: arrays that run side by side are cut at the same places.
GROUP: Final = 64

# A unit's attributes have half as much at the most.
_ELEMENT_BYTES_MAX: Final = 128 << 10
_GROUP_BYTES: Final = 256 << 10

# No alternative below begins as another may go on, so nothing is ever tried twice.
SPACE: Final = rb"[ \t\r\n]*"
TEXT: Final = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_PLAIN: Final = rb'[^\s"\[\]{},:]+'
_BETWEEN: Final = rb'[^"\[\]{}]*'


def _nested(levels: int) -> bytes:
    """Arrays and objects within each other: an expression has to say how deep that may go."""
    pattern = rb"[\[{]%b(?:%b%b)*[\]}]" % (_BETWEEN, TEXT, _BETWEEN)
    for _ in range(levels - 1):
        pattern = rb"[\[{]%b(?:(?:%b|%b)%b)*[\]}]" % (_BETWEEN, TEXT, pattern, _BETWEEN)
    return pattern


_ELEMENT: Final = rb"%b(?:%b|%b|%b)%b" % (SPACE, TEXT, _PLAIN, _nested(DEPTH_MAX), SPACE)
_one: Final = re.compile(_ELEMENT + rb"([,\]])", re.DOTALL)
_group: Final = re.compile(rb"(?:%b,){%d}" % (_ELEMENT, GROUP), re.DOTALL)
_empty: Final = re.compile(SPACE + rb"\]")


class Elements:
    """The elements of one array within a document, in groups of 64; the last may have fewer."""

    def __init__(self, body: bytes | bytearray, start: int) -> None:
        """`start` is the place after the opening bracket; raises InvalidInput for no array."""
        self._body = body
        self._starts = array("q", [start])
        empty = _empty.match(body, start)
        self.end = start if empty is None else empty.end()  # the place after the closing bracket
        while empty is None and self._find_group():
            pass

    def __len__(self) -> int:
        """How many groups there are."""
        return len(self._starts) - 1

    def size(self, first: int, stop: int) -> int:
        """How many bytes some groups take."""
        return self._starts[stop] - self._starts[first]

    def text(self, first: int, stop: int) -> bytes:
        """Some groups as an array of their own."""
        return b"[" + bytes(self._body[self._starts[first] : self._starts[stop] - 1]) + b"]"

    def _find_group(self) -> bool:
        """Find where one more group ends; whether the array goes on after it."""
        start = self._starts[-1]
        whole = _group.match(self._body, start, start + _GROUP_BYTES)
        if whole is not None:
            self._starts.append(whole.end())
            return True
        after = b","
        for _ in range(GROUP):
            found = _one.match(self._body, start, start + _ELEMENT_BYTES_MAX)
            if found is None:
                raise InvalidInput(
                    f"from byte {start:,} on this is no array of JSON, or has an element of more"
                    f" than {_ELEMENT_BYTES_MAX:,} bytes",
                    "$",
                )
            start, after = found.end(), found[1]
            if after == b"]":
                break
        self._starts.append(start)
        self.end = start
        return after == b","
