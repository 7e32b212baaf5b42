"""Rows of a batch: units with their attributes, as a reader makes them and a writer shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from allotment.kernel.json_ids import Texts
from allotment.server.assign.reading import ATTRIBUTES_BYTES_MAX, check_depth, check_size

if TYPE_CHECKING:
    import pyarrow as pa

_encode: Final = msgspec.json.Encoder()
_KEYS: Final = frozenset({str, int})
_NESTED: Final = (dict, list)


class UnitBlock(Protocol):
    """Some units, in the order of the request."""

    @property
    def rows(self) -> int:
        """How many there are."""

    @property
    def faults(self) -> Mapping[int, str]:
        """What is wrong with rows that could not be read, by their place."""

    def part(self, start: int, stop: int) -> UnitBlock:
        """The rows of a range."""

    def units(self) -> object:
        """The units as an engine takes them."""

    def attributes(self) -> object:
        """The attributes as an engine takes them."""

    def unit_texts(self) -> Texts | bytes:
        """Each unit as a line of JSON, `null` for what is none; `Texts` are without quotes."""

    def unit_columns(self) -> dict[str, pa.Array]:
        """The units as Arrow columns by name."""


@dataclass(frozen=True, slots=True)
class UnitRows:
    """Units of JSON; `known` has a mapping a row, or a column of values an attribute."""

    keys: list[Any] | Texts
    known: list[dict[str, Any] | None] | dict[str, list[Any]] | None = None
    faults: Mapping[int, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.keys)

    def part(self, start: int, stop: int) -> UnitRows:
        """The rows of a range."""
        known = self.known
        if isinstance(known, dict):
            known = {name: column[start:stop] for name, column in known.items()}
        elif known is not None:
            known = known[start:stop]
        faults = {row - start: said for row, said in self.faults.items() if start <= row < stop}
        return UnitRows(self.keys[start:stop], known, faults)

    def units(self) -> object:
        """The units as they came."""
        return self.keys

    def attributes(self) -> object:
        """What is known of them."""
        return self.known

    def unit_texts(self) -> Texts | bytes:
        """Each unit as a line of JSON, `null` for what is none; `Texts` are without quotes."""
        keys = self.keys
        if isinstance(keys, Texts):
            return keys
        if not _KEYS.issuperset(map(type, keys)):
            keys = [_shown(key) for key in keys]
        return _encode.encode_lines(keys)

    def unit_columns(self) -> dict[str, pa.Array]:
        """One column of text; a unit of several kinds is the text of its JSON."""
        import pyarrow as pa  # noqa: PLC0415  # loads slowly, and few requests are for Arrow

        keys = self.keys
        if isinstance(keys, Texts):
            places = [None, pa.py_buffer(keys.views), pa.py_buffer(keys.text)]
            views = pa.Array.from_buffers(pa.string_view(), len(keys), places, offset=keys.start)
            return {"unit": views.cast(pa.string())}
        return {"unit": pa.array(map(_text, keys), pa.string())}


def check_attributes(value: Any, size: int) -> None:
    """Refuse a row's attributes, or one of them, beyond the limits; `size` is its bytes or more."""
    if type(value) not in _NESTED:
        return
    for each in value.values() if type(value) is dict else value:
        if type(each) in _NESTED:
            check_depth(value, "$.attributes")
            break
    if size > ATTRIBUTES_BYTES_MAX:
        check_size(len(_encode.encode(value)), "$.attributes")


def _text(key: Any) -> str | None:
    if type(key) is str:
        return key
    shown = _shown(key)
    return None if shown is None else _encode.encode(shown).decode()


def _shown(key: Any) -> Any:
    """A unit as an answer has it: None for what is none, also in the place of one kind's key."""
    if type(key) in _KEYS:
        return key
    if type(key) is dict:
        return {kind: each if type(each) in _KEYS else None for kind, each in key.items()}
    return None
