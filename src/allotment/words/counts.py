"""How many of what, in words."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """The number with its noun: 1 rule, 2 rules."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
