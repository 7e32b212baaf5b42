"""The text of a catalog as a tree of plain values, whichever way it is spelled."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any, Final

import msgspec

from allotment.dialects.catalogfile.cursor import Cursor, Tree
from allotment.dialects.catalogfile.yaml12 import DIGITS_MAX, TOO_LONG, compose
from allotment.errors import InvalidInput

# A catalog of 100,000 experiments is about 50 MiB; more than this is not one.
_SIZE_MAX: Final = 64 << 20

# A condition may be nested 32 deep, and each level of it is a mapping and a list.
_DEPTH_MAX: Final = 96

_LEAVES: Final = frozenset({str, bool, type(None)})


class _Repeated(dict[str, Tree]):
    """A JSON object with a key given twice; `inspect` refuses it where it stands."""

    key = ""


def parse(text: str | bytes) -> Tree:
    """The tree that YAML 1.2 or JSON text spells; raises InvalidInput with the path of the fault.

    Text that begins with `{` is tried as JSON first, which reads forty times faster; what is
    not JSON after all is read as YAML, of which JSON is a part.
    """
    if len(text) > _SIZE_MAX:
        raise InvalidInput(f"a catalog has at most {_SIZE_MAX >> 20} MiB", "$")
    text = _without_nul(_decoded(text) if isinstance(text, bytes) else text)
    if not text.strip():
        raise InvalidInput("the catalog is empty; the least there can be is `allotment: 1`", "$")
    tree = _from_json(text) if text.lstrip().startswith("{") else None
    if tree is None:
        tree = compose(text, _DEPTH_MAX)
    if not _is_sound([tree], _DEPTH_MAX + 1) or not _is_unicode(tree):
        inspect(Cursor(tree), _DEPTH_MAX)
    return tree


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"line {line}: the catalog is not UTF-8; save it as UTF-8"
        raise InvalidInput(message, "$") from None


def _without_nul(text: str) -> str:
    """The text after its byte order mark, once it has no NUL."""
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InvalidInput(f"line {line}: a NUL character cannot stand in a catalog", "$")
    return text


def _from_json(text: str) -> Tree:
    """The tree of JSON text, or None where it is not JSON."""
    try:
        tree: Tree = msgspec.json.decode(text)
        spelled = msgspec.json.encode(tree)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _from_odd_json(text)
    # Of a key that is given twice one is dropped, with its quotes, which are counted.
    is_whole = text.count('"') == spelled.count(b'"') and "\\u0022" not in text
    return tree if is_whole else _from_odd_json(text)


def _from_odd_json(text: str) -> Tree:
    """The same, but with what is refused in it, so that `inspect` finds its place."""
    try:
        tree: Tree = json.loads(text, object_pairs_hook=_object, parse_int=_integer)
    except json.JSONDecodeError:
        return None
    except RecursionError:
        raise InvalidInput(f"the catalog is nested deeper than {_DEPTH_MAX} levels", "$") from None
    return tree


def _object(pairs: list[tuple[str, Tree]]) -> dict[str, Tree]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeated = _Repeated(found)
    repeated.key = Counter(key for key, _ in pairs).most_common(1)[0][0]
    return repeated


def _integer(digits: str) -> int:
    return int(digits) if len(digits) <= DIGITS_MAX else TOO_LONG


def _is_sound(whole: dict[str, Any] | list[Any], left: int) -> bool:
    """Whether `inspect`, which is slow as it knows the place of each value, takes all parts; texts
    are another matter."""
    if left == 0:
        return False
    part: Any
    for part in whole.values() if isinstance(whole, dict) else whole:
        kind = type(part)
        if kind is dict or kind is list:
            if not _is_sound(part, left - 1):
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


def _is_unicode(tree: Tree) -> bool:
    """Whether no text or key holds half a character."""
    try:
        return bool(msgspec.json.encode(tree))
    except UnicodeError:
        return False


def inspect(place: Cursor, depth: int) -> None:
    """Refuse what no reader could take, wherever it stands, and more than `depth` levels."""
    value = place.value
    _inspect_text(str(place.step), place)
    if isinstance(value, list | dict):
        if depth == 0:
            raise place.refusal(f"the catalog is nested deeper than {_DEPTH_MAX} levels")
        if isinstance(value, _Repeated):
            raise place.at(value.key).refusal("this key is given twice; keep one of them")
        for part in place.parts():
            inspect(part, depth - 1)
    elif isinstance(value, str):
        _inspect_text(value, place)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise place.refusal("NaN, the infinities and numbers beyond 1e308 are refused")
    elif isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        raise place.refusal("this number does not fit in 64 bits; as text it needs quotes")


def _inspect_text(text: str, place: Cursor) -> None:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise place.refusal("this text holds a lone surrogate, which is not valid Unicode")
