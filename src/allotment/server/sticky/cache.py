"""What the store was seen to keep: there it only grows, so it may be remembered for good."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from allotment.store import StickyKey

# So many take some 40 MB, and twice as many are held at the most.
WINDOW: Final = 131_072


class StickyCache:
    """The treatments that are kept for the keys asked for last, at least `window` keys.

    There are two generations: when the younger is full, the older is forgotten. What is asked for
    again moves into the younger, so what keeps coming is never forgotten.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._young: dict[tuple[str, StickyKey], tuple[str, ...]] = {}
        self._old: dict[tuple[str, StickyKey], tuple[str, ...]] = {}

    def get(self, space: str, key: StickyKey, names: Container[str]) -> str | None:
        """The treatment that counts where the iteration has `names`, if that is remembered.

        More may be kept meanwhile, but only behind what is remembered: the first that the iteration
        has stays the first.
        """
        found = self._young.get((space, key))
        if found is None:
            found = self._old.get((space, key))
            if found is not None:
                self.add(space, key, found)
        return next((each for each in found or () if each in names), None)

    def add(self, space: str, key: StickyKey, treatments: tuple[str, ...]) -> None:
        """Remember all that the store keeps for a lot, in the order of keeping."""
        if len(self._young) >= self._window:
            self._old, self._young = self._young, {}
        self._young[space, key] = treatments
