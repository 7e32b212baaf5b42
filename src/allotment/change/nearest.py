"""The end of a sentence on a word that is not known: the one that was perhaps meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str:
    """The question for the known word that is nearest, "" where none is near.

    >>> nearest("bata", ["alpha", "beta"])
    "; do you mean 'beta'?"
    """
    close = get_close_matches(word, known, n=1)
    return f"; do you mean {close[0]!r}?" if close else ""
