"""One attribute path with the clauses that look at it: a value in, a bit set out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from allotment.matching.index import Index
from allotment.model.segment import Clause
from allotment.values import mapping_of, values_of


@dataclass(frozen=True, slots=True)
class Field:
    """The clauses of one segment that look at `path`, each with the number of its bit.

    `words` is how many 64-bit words the segment's bit set has; it is the same for all its fields.
    """

    path: tuple[str, ...]
    clauses: tuple[tuple[int, Clause], ...]
    words: int
    index: Index = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index = Index((1 << bit, clause) for bit, clause in self.clauses)
        object.__setattr__(self, "index", index)

    def decide(self, value: object) -> bytes:
        """The bits of the clauses that hold for a value: `words` * 8 bytes, little-endian.

        Of a list, a clause holds where it does for any element. Never raises.
        """
        return self.index.bits(values_of(value)).to_bytes(self.words * 8, "little")


def lookup(attributes: Mapping[str, object] | None, path: tuple[str, ...]) -> object | None:
    """The value at `path` through nested mappings; None where a key is missing or a value is None.

    A dict subclass is read as a dict. If comparing with another key raises, the value is absent.
    """
    value: object = attributes
    for key in path:
        found = mapping_of(value)
        if found is None:
            return None
        try:
            value = dict.get(found, key)
        except Exception:  # noqa: BLE001  # a foreign __eq__ may raise anything
            return None
    return value
