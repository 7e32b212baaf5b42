"""A large JSON document of a batch, cut into arrays of which each piece can be read by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from allotment.errors import InvalidInput
from allotment.server.assign.batch.elements import SPACE, TEXT, Elements
from allotment.server.http.decoding import MALFORMED

# No segment reads more, and no client sends more.
_COLUMNS_MAX: Final = 1_000

_open: Final = re.compile(rb"%b\{%b(?P<empty>\})?" % (SPACE, SPACE))
_name: Final = re.compile(rb"%b(?P<name>%b)%b:%b" % (SPACE, TEXT, SPACE, SPACE), re.DOTALL)
_bracket: Final = re.compile(rb"\[")
_null: Final = re.compile(rb"null")
_next: Final = re.compile(rb"%b(?P<more>,|\})" % SPACE)
_end: Final = re.compile(rb"%b\Z" % SPACE)


class Cut(NamedTuple):
    """The members of the document; of one given twice, the last."""

    units: Elements
    attributes: Elements | dict[str, Elements] | None
    experiments: Elements | None


def cut_document(body: bytes | bytearray) -> Cut:
    """Find the members and their elements; raises InvalidInput for what is no such document."""
    walk = _Walk(body)
    units: Elements | None = None
    attributes: Elements | dict[str, Elements] | None = None
    experiments: Elements | None = None
    for name in walk.members():
        match name:
            case "units":
                units = walk.array()
            case "attributes":
                attributes = walk.attributes()
            case "experiments":
                experiments = walk.array()
            case _:
                raise InvalidInput("the document has `units`, `attributes`, `experiments`", "$")
    walk.past(_end)
    if units is None:
        raise InvalidInput("the document has no `units`", "$")
    return Cut(units, attributes, experiments)


class _Walk:
    """A place in the document; its caller moves it past each value."""

    def __init__(self, body: bytes | bytearray) -> None:
        self._body = body
        self._place = 0

    def past(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        """Go past what must be here."""
        found = pattern.match(self._body, self._place)
        if found is None:
            raise InvalidInput(f"this is not JSON at byte {self._place:,}", "$")
        self._place = found.end()
        return found

    def members(self) -> Iterator[str]:
        """The names of an object's members."""
        more = not self.past(_open)["empty"]
        while more:
            text = self.past(_name)["name"]
            try:
                yield msgspec.json.decode(text, type=str)
            except MALFORMED:
                raise InvalidInput(f"this is no name at byte {self._place:,}", "$") from None
            more = self.past(_next)["more"] == b","

    def array(self) -> Elements:
        """The elements of the array that must be here."""
        found = Elements(self._body, self.past(_bracket).end())
        self._place = found.end
        return found

    def attributes(self) -> Elements | dict[str, Elements] | None:
        """A mapping a unit, or a column an attribute."""
        begins = self._body[self._place : self._place + 1]
        if begins == b"n":
            self.past(_null)
            return None
        if begins != b"{":
            return self.array()
        columns: dict[str, Elements] = {}
        for name in self.members():
            columns[name] = self.array()
            if len(columns) > _COLUMNS_MAX:
                raise InvalidInput(f"there are at most {_COLUMNS_MAX:,} columns", "$.attributes")
        return columns
