"""Plain values as YAML 1.2 for people: blocks outside, short leaves on one line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from allotment.dialects.catalogfile.cursor import Tree
from allotment.dialects.catalogfile.yaml12 import resolve

_COLUMNS_MAX: Final = 100

# The sections of a catalog and the nouns in them are blocks, however short.
_BLOCK_LEVELS: Final = 2

# An implicit key has at most 1,024 characters; long before that, `? key` reads better.
_KEY_MAX: Final = 120

# Text that needs no quotes here, nor in YAML 1.1, which takes `no` for false and 1:30 for 90.
_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@%+#-]*( [A-Za-z0-9_./@%+-]+)*\Z|[0-9.]+%\Z")
_OLD_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off"})
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


class TextBlock(str):
    """Text that is written as a block of lines; it ends in a newline and all of it is printable."""

    __slots__ = ()


def emit(tree: dict[str, Tree]) -> str:
    """The text of `tree`; `source.parse` reads it back as it was."""
    return "\n".join(_mapping(tree, 0)) + "\n"


def _block(value: dict[str, Tree] | list[Tree], level: int) -> Iterator[str]:
    return _mapping(value, level) if isinstance(value, dict) else _sequence(value, level)


def _mapping(mapping: dict[str, Tree], level: int) -> Iterator[str]:
    margin = "  " * level
    for key, value in mapping.items():
        head = _text(key)
        if len(head) > _KEY_MAX:
            yield f"{margin}? {head}"
            head = ""
        yield from _entry(f"{margin}{head}:", value, level)


def _sequence(sequence: list[Tree], level: int) -> Iterator[str]:
    margin = "  " * level
    for item in sequence:
        if isinstance(item, dict | list) and item and not _fits(item, len(margin) + 2):
            first, *rest = _block(item, level + 1)
            yield f"{margin}- {first.lstrip(' ')}"
            yield from rest
        else:
            yield f"{margin}- {_flow(item)}"


def _entry(head: str, value: Tree, level: int) -> Iterator[str]:
    if isinstance(value, TextBlock):
        yield f"{head} |"
        yield from (f"{'  ' * (level + 1)}{line}" for line in value.split("\n")[:-1])
    elif isinstance(value, dict | list) and value and not _on_one_line(value, head, level):
        yield head
        yield from _block(value, level + 1)
    else:
        yield f"{head} {_flow(value)}"


def _on_one_line(value: Tree, head: str, level: int) -> bool:
    return level >= _BLOCK_LEVELS and _fits(value, len(head) + 1)


def _fits(value: Tree, column: int) -> bool:
    """Whether a collection of leaves, or of collections of leaves, fits on its line."""
    return _height(value, 3) <= 2 and column + len(_flow(value)) <= _COLUMNS_MAX


def _height(value: Tree, enough: int) -> int:
    """How many levels of collections there are, counting no further than `enough`."""
    if isinstance(value, TextBlock):
        return enough
    if not isinstance(value, dict | list) or enough == 0:
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max((_height(item, enough - 1) for item in inner), default=0)


def _flow(value: Tree) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return json.dumps(value)  # a number or a word, which YAML spells as JSON does


def _text(text: str) -> str:
    """Text as it stands where nothing could misread it, else in double quotes."""
    plain = _PLAIN.match(text) and text.lower() not in _OLD_WORDS
    if plain and isinstance(resolve(text), str):
        return text
    return '"' + "".join(map(_character, text)) + '"'


def _character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
