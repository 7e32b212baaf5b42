"""Numbers and times as people read them."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from allotment.model.instant import show_instant
from allotment.model.limits import BUCKETS
from allotment.model.number import show_percent

_MARKS: Final = {"+": "new: ", "-": "gone: ", "~": "", ">": ""}
_STEPS: Final = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def told(line: str) -> str:
    """A line of a command without the mark that a terminal has: what is new and what is gone."""
    mark, _, rest = line.partition(" ")
    return f"{_MARKS[mark]}{rest}" if mark in _MARKS else line


def moment(at: int) -> str:
    """An instant in milliseconds since 1970, in UTC: 2026-01-02 03:04 UTC."""
    return f"{show_instant(at)[:16].replace('T', ' ')} UTC"


def ago(seconds: float) -> str:
    """How long ago: 3 hours."""
    for size, word in _STEPS:
        count = int(seconds // size)
        if count >= 1:
            return f"{count:,} {word}{'' if count == 1 else 's'}"
    return "less than a second"


def percent(ppm: int) -> str:
    """Parts per million as a percentage: 12.5%."""
    return show_percent(ppm)


def share_of(parts: int, total: int) -> str:
    """Parts of a total as a percentage, with a sign where it is rounded: 12.5%, ≈33.3333%."""
    if not total:
        return "0%"
    exact = Fraction(parts * BUCKETS, total)
    rounded = round(exact)
    return ("" if rounded == exact else "≈") + show_percent(rounded)
