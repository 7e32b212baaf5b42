"""The body of a request as a tree of plain values: JSON, and only what every reader reads alike."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final, TypeAlias

import msgspec

from allotment.errors import InvalidInput

Tree: TypeAlias = "bool | int | float | str | list[Tree] | dict[str, Tree] | None"

DEPTH_MAX: Final = 32

# 64 bits are 19 digits and a sign. More are not even converted: that takes quadratic time.
DIGITS_MAX: Final = 20
TOO_LONG: Final = 1 << 64

_LEAVES: Final = frozenset({str, bool, type(None)})

# The names of fields look like this. Any other key of a client is not shown.
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}\Z")

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Repeated(dict[str, Tree]):
    """An object in which a key was given twice."""

    key = ""


def read_json(body: bytes | bytearray, depth: int = DEPTH_MAX) -> Tree:
    """The tree that a body spells; raises InvalidInput with the path of the fault.

    UTF-8 without a byte order mark; no key twice in an object; no NaN, no infinity and no number
    beyond a double or, whole, beyond 64 bits; no lone surrogate; nested at most `depth` deep.
    Nothing of the body stands in an error but short plain keys.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the body is not UTF-8 at byte {error.start}", "$") from None
    if text.startswith("\ufeff"):
        raise InvalidInput("the body begins with a byte order mark; leave it out", "$")
    if not text.strip():
        raise InvalidInput("the body is empty; JSON belongs here", "$")
    try:
        tree: Tree = decode(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidInput(f"the body is not JSON at {where}", "$") from None
    except RecursionError:
        raise _too_deep("$", depth) from None
    if not is_sound(tree, depth):
        _inspect(tree, "$", depth, depth)
    return tree


def decode(text: str) -> Tree:
    """The tree of JSON text, by msgspec where nothing in it is odd.

    Raises JSONDecodeError for what is none, RecursionError for what is far too deep. It may hold a
    `Repeated`, NaN, an infinity, an integer beyond 64 bits, half a character: see `is_sound`.
    """
    with suppress(msgspec.DecodeError, UnicodeError, RecursionError):
        tree: Tree = msgspec.json.decode(text)
        spelled = msgspec.json.encode(tree)
        # Of a key that is given twice one is dropped, with its quotes, which are counted.
        if text.count('"') == spelled.count(b'"') and "\\u0022" not in text:
            return tree
    odd: Tree = _ODD.decode(text)
    return odd


def _object(pairs: Sequence[tuple[str, Tree]]) -> dict[str, Tree]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeated = Repeated(found)
    repeated.key = Counter(key for key, _ in pairs).most_common(1)[0][0]
    return repeated


def _integer(digits: str) -> int:
    return int(digits) if len(digits) <= DIGITS_MAX else TOO_LONG


# It takes NaN, the infinities and half a character.
_ODD: Final = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer)


def is_sound(tree: Tree, depth: int) -> bool:
    """Whether there is nothing odd in the tree, and it is nested at most `depth` deep."""
    try:
        return _are_sound([tree], depth + 1) and bool(msgspec.json.encode(tree))
    except UnicodeError:
        return False  # half a character


def _are_sound(whole: dict[str, Any] | list[Any], left: int) -> bool:
    """Whether the parts of an object or a list are, texts and keys aside."""
    if left == 0:
        return False
    part: Any
    for part in whole.values() if isinstance(whole, dict) else whole:
        kind = type(part)
        if kind is dict or kind is list:
            if not _are_sound(part, left - 1):
                return False
        elif kind is int:
            if not -(1 << 63) <= part < 1 << 63:
                return False
        elif kind is float:
            if not math.isfinite(part):
                return False
        elif kind not in _LEAVES:
            return False
    return True


def _inspect(value: Tree, path: str, left: int, depth: int) -> None:
    if isinstance(value, str):
        _inspect_text(value, path)
    elif isinstance(value, list | dict):
        if left == 0:
            raise _too_deep(path, depth)
        if isinstance(value, Repeated):
            raise InvalidInput("this key is given twice; keep one", step(path, value.key))
        for item, here in _parts(value, path):
            _inspect(item, here, left - 1, depth)
    elif isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput("NaN, the infinities and numbers beyond 1e308 are refused", path)
    elif isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        raise InvalidInput("this whole number does not fit in 64 bits", path)


def _parts(value: list[Tree] | dict[str, Tree], path: str) -> Iterator[tuple[Tree, str]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield item, f"{path}[{index}]"
        return
    for key, item in value.items():
        _inspect_text(key, path)
        yield item, step(path, key)


def _inspect_text(text: str, path: str) -> None:
    if not text.isascii() and _SURROGATE.search(text):
        raise InvalidInput("this text holds a lone surrogate, which is not valid Unicode", path)


def _too_deep(path: str, depth: int) -> InvalidInput:
    return InvalidInput(f"the body is nested deeper than {depth} levels", path)


def step(path: str, key: str) -> str:
    """The path of an object's entry: `$.name`, or `$[...]` for a key that is no plain word."""
    return f"{path}.{key}" if _PLAIN.match(key) else f"{path}[...]"


def alike(one: Tree, other: Tree) -> bool:
    """Whether they are the same value: 1 is 1.0, and neither is true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    return one == other
