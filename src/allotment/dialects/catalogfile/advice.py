"""The words of a refusal: what was found, what is known, and what was perhaps meant."""

from __future__ import annotations

import json
from collections.abc import Collection
from difflib import get_close_matches

_CHARACTERS_MAX = 60
_WORDS_MAX = 30


def quoted(text: str) -> str:
    """`text` as an error shows it: on one line, in quotes, cut where it is long."""
    cut = text if len(text) <= _CHARACTERS_MAX else text[:_CHARACTERS_MAX] + "..."
    return json.dumps(cut)


def found(value: object) -> str:
    """What kind of thing a value of the file is.

    >>> found(True), found(7), found("a"), found([]), found({}), found(None)
    ('the word true', 'the number 7', 'the text "a"', 'a list', 'a mapping', 'empty')
    """
    match value:
        case bool():
            return f"the word {json.dumps(value)}"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {quoted(value)}"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return "empty"


def choices(word: str, known: Collection[str]) -> str:
    """The known word that is nearest to `word`, or else what words there are."""
    close = get_close_matches(word, known, n=1)
    if close:
        return f"do you mean {quoted(close[0])}?"
    shown = sorted(known)[:_WORDS_MAX]
    more = f" and {len(known) - _WORDS_MAX:,} more" if len(known) > _WORDS_MAX else ""
    return f"there are {', '.join(shown)}{more}"
