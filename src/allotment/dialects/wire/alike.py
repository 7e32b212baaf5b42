"""Whether two JSON values are the same."""

from __future__ import annotations

from allotment.dialects.wire.source import Tree


def alike(one: Tree, other: Tree) -> bool:
    """Whether they are the same value: 1 is 1.0, and neither is true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    return one == other
