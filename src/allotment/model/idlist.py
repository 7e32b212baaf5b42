"""A list of unit keys, kept as one block of text: a million of them are one object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from allotment.errors import InvalidInput
from allotment.model.limits import LISTED_IDS_MAX
from allotment.model.text import check_unit_key


@dataclass(frozen=True, slots=True)
class IdList:
    """Unit keys, sorted, without repeats, as UTF-8 lines in one `bytes` (a key holds no newline).

    A million keys as text cost their bytes and nothing more, where a set of `str` costs 118 bytes
    each.
    """

    text: bytes = b""
    count: int = 0

    @classmethod
    def of(cls, ids: Iterable[str], path: str = "") -> IdList:
        """The list of `ids`; raises InvalidInput with the place of a key that is not one."""
        unique: set[str] = set()
        for index, key in enumerate(ids):
            check_unit_key(key, f"{path}[{index}]")
            if "\n" in key:
                raise InvalidInput("a listed id cannot hold a newline", f"{path}[{index}]")
            unique.add(key)
        if len(unique) > LISTED_IDS_MAX:
            raise InvalidInput(
                f"a list holds at most {LISTED_IDS_MAX:,} ids; this one has {len(unique):,}", path
            )
        return cls("\n".join(sorted(unique)).encode(), len(unique))

    def __iter__(self) -> Iterator[str]:
        return iter(self.text.decode().split("\n") if self.count else ())

    def __len__(self) -> int:
        return self.count


NO_IDS = IdList()
