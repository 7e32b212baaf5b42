"""Which exposures were written lately, so that none is written twice."""

from __future__ import annotations


class Seen:
    """The last marks, at least `window` of them and never more than twice that.

    There are two generations: when the younger is full, the older is forgotten. A mark that is
    asked for again moves into the younger, so what keeps coming is never written again.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._young: set[int] = set()
        self._old: set[int] = set()

    def __len__(self) -> int:
        return len(self._young | self._old)

    def is_new(self, mark: int) -> bool:
        """Whether the mark is not among the last ones; it is from now on."""
        if mark in self._young:
            return False
        known = mark in self._old
        if len(self._young) >= self._window:
            self._old, self._young = self._young, set()
        self._young.add(mark)
        return not known
