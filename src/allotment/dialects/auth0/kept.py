"""What this API has and the model lacks: it is kept with the noun, and steers nothing."""

from __future__ import annotations

import json
from typing import Protocol

from allotment.change.commands import Keep
from allotment.dialects.wire.source import Tree

_DIALECT = "auth0/"


Values = dict[str, Tree]


class Keeping(Protocol):
    """Any noun."""

    @property
    def kept(self) -> tuple[tuple[str, str], ...]:
        """Path by path, the JSON text that is kept there."""
        ...


def kept(noun: Keeping, path: str) -> Tree:
    """What this dialect keeps with the noun at `path`; None where it keeps nothing."""
    for where, text in noun.kept:
        if where == _DIALECT + path:
            tree: Tree = json.loads(text)
            return tree
    return None


def keep(kind: str, key: str, path: str, value: Tree) -> Keep:
    """The command that keeps `value` with a noun, or with None nothing any more."""
    return Keep(kind, key, _DIALECT + path, None if value is None else json_text(value))


def keeping(values: Values) -> tuple[tuple[str, str], ...]:
    """What a new noun keeps: each value that is not None, by path."""
    given = {path: value for path, value in values.items() if value is not None}
    return tuple(sorted((_DIALECT + path, json_text(value)) for path, value in given.items()))


def json_text(value: Tree) -> str:
    """The shortest JSON text of a value."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
