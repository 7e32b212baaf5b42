"""Lists in windows: so many items from an offset on, as some APIs page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from allotment.dialects.wire.place import Place
from allotment.model.limits import EXPERIMENTS_MAX

V = TypeVar("V")

# No list has more to skip.
_OFFSET_MAX = EXPERIMENTS_MAX


@dataclass(frozen=True, slots=True)
class Window:
    """So many items after the first so many."""

    limit: int
    offset: int

    def of(self, items: Sequence[V]) -> Sequence[V]:
        """Those of the items that are in the window."""
        return items[self.offset : self.offset + self.limit]


def read_window(query: Place, usual: int, most: int) -> Window:
    """The window that `limit` and `offset` of a query name."""
    limit, offset = query.at("limit"), query.at("offset")
    return Window(
        limit.digits(1, most) if limit.given else usual,
        offset.digits(0, _OFFSET_MAX) if offset.given else 0,
    )
