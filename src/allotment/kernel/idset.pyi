from collections.abc import Iterable, Sequence
from typing import Self, final

@final
class IdSet:
    """A frozen set of unit keys by h1 of their digests, perhaps with a small value each.

    `values`, parallel to `keys`, are 0 to 255. About 9.6 bytes an id (one more with values). Two
    keys share a hash once in 2^64 pairs. Raises InvalidInput for keys that are no text, more than
    1,000,000 of them, or one key with two values.
    """

    def __new__(cls, keys: Iterable[str] = (), values: Sequence[int] | None = None) -> Self: ...
    @classmethod
    def of_lines(cls, text: bytes) -> IdSet:
        """The set of keys separated by newlines (b"" has none); hashed with the GIL released."""
    def __len__(self) -> int: ...
    @property
    def nbytes(self) -> int:
        """Bytes of memory behind the object."""
    def __contains__(self, key: str, /) -> bool: ...
    def value(self, key: str) -> int:
        """The value beside `key`: -1 if it is not in the set, 0 where the set has no values."""
