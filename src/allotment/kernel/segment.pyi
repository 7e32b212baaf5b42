from collections.abc import Callable, Sequence
from typing import Self, final

from allotment.kernel.idset import IdSet

@final
class Field:
    """A path to a value, and the memo of what the clauses on it made of each value seen."""

    def __new__(
        cls, path: Sequence[str], decide: Callable[[object], bytes], words: int
    ) -> Self: ...
    @property
    def path(self) -> tuple[str, ...]: ...
    def bits(self, value: object) -> bytes:
        """The clause bits of a value, `words` * 8 bytes, little-endian; a list is its elements."""

@final
class Segment:
    """A compiled segment: fields whose clauses become bits, lists, and one program over both.

    program    little-endian uint32 instructions, operation << 24 | operand, on a stack of at most
               64 booleans: 0 CLAUSE bit, 1 LIST index, 2 AND n, 3 OR n, 4 NOT, 5 STORE register
               (which takes the top off), 6 LOAD register
    fields     (path, decide): decide(value) gives `words` * 8 bytes, the clauses that hold for a
               present value; it is called once a distinct value as long as the memo remembers it
    lists      what LIST refers to

    Raises InvalidInput for a program that is malformed.
    """

    def __new__(
        cls,
        program: bytes,
        fields: Sequence[tuple[tuple[str, ...], Callable[[object], bytes]]],
        lists: Sequence[IdSet],
        words: int,
        registers: int,
    ) -> Self: ...
    @property
    def fields(self) -> tuple[Field, ...]: ...
    @property
    def lists(self) -> tuple[IdSet, ...]: ...
    def matches(self, unit: str, attributes: dict[str, object] | None) -> bool:
        """Whether a unit is a member."""
