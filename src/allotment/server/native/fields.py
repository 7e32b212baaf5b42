"""The fields of a native body, each read as what it has to be."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from allotment.dialects.wire.source import Tree
from allotment.errors import InvalidInput


def fields_of(tree: Tree, known: Collection[str]) -> Mapping[str, Tree]:
    """The fields of an object; raises InvalidInput for one that is not known."""
    if not isinstance(tree, dict):
        raise InvalidInput("an object belongs here", "$")
    if any(name not in known for name in tree):
        raise InvalidInput(f"there are no other fields here than {', '.join(known)}", "$")
    return tree


def text(fields: Mapping[str, Tree], name: str, default: str | None = None) -> str:
    """A field that holds text; required where there is no default."""
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise InvalidInput("text belongs here", f"$.{name}")
    return value


def whole(fields: Mapping[str, Tree], name: str, low: int, high: int) -> int | None:
    """A field that holds a whole number within its bounds; None where it is left out or null."""
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is not int or not low <= value <= high:
        raise InvalidInput(f"a whole number from {low:,} to {high:,} belongs here", f"$.{name}")
    return value
