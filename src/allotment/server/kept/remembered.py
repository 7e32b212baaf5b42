"""What the store was seen to keep: it never changes there, so it may be remembered for good."""

from __future__ import annotations

from typing import Final

from allotment.store import Lot

# So many take some 40 MB, and twice as many are held at the most.
WINDOW: Final = 131_072


class Remembered:
    """The treatments that were asked for last, at least `window` of them.

    There are two generations: when the younger is full, the older is forgotten. What is asked for
    again moves into the younger, so what keeps coming is never forgotten.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._young: dict[tuple[str, Lot], str] = {}
        self._old: dict[tuple[str, Lot], str] = {}

    def get(self, space: str, lot: Lot) -> str | None:
        """The treatment that is kept, where that is remembered."""
        found = self._young.get((space, lot))
        if found is None:
            found = self._old.get((space, lot))
            if found is not None:
                self.add(space, lot, found)
        return found

    def add(self, space: str, lot: Lot, treatment: str) -> None:
        """Remember a treatment that the store keeps."""
        if len(self._young) >= self._window:
            self._old, self._young = self._young, {}
        self._young[space, lot] = treatment
