"""Many texts as beginnings of others: one look finds all that a text begins with."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping


class Prefixes:
    """Texts, each with its bits. What is asked of a text costs a binary search, however many.

    The texts are sorted, and each knows the longest other one that it begins with. What a text
    begins with is then on one chain, from the last of them that is not after it.
    """

    __slots__ = ("_all", "_bits", "_heads", "_longest", "_parents", "_size", "_texts")

    def __init__(self, bits: Mapping[str, int]) -> None:
        self._all = 0
        self._texts: list[str] = []
        self._bits: list[int] = []
        self._parents: list[int] = []
        chain: list[int] = []
        for text in sorted(bits):
            while chain and not text.startswith(self._texts[chain[-1]]):
                chain.pop()
            parent = chain[-1] if chain else -1
            known = self._bits[parent] if chain else 0
            if bits[text] & ~known:  # else a shorter one says as much
                chain.append(len(self._texts))
                self._texts.append(text)
                self._bits.append(bits[text] | known)
                self._parents.append(parent)
                self._all |= bits[text]
        # All but the empty text, which everything begins with, begin with one of these.
        self._size = min(map(len, filter(None, self._texts)), default=1)
        self._heads = frozenset(text[: self._size] for text in self._texts if text)
        self._longest = max(map(len, self._texts), default=0)

    def beginning(self, text: str) -> int:
        """The bits of all that `text` begins with."""
        place = bisect_right(self._texts, text) - 1
        while place >= 0 and not text.startswith(self._texts[place]):
            place = self._parents[place]
        return self._bits[place] if place >= 0 else 0

    def within(self, text: str) -> int:
        """The bits of all that `text` holds anywhere."""
        found, size, heads = self.beginning(""), self._size, self._heads
        for start in range(len(text) - size + 1):
            if text[start : start + size] in heads:
                found |= self.beginning(text[start : start + self._longest])
                if found == self._all:
                    break
        return found
