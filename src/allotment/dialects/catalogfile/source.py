"""The text of a catalog as a tree of plain values, whichever way it is spelled."""

from __future__ import annotations

import json
import math
from typing import Final

from allotment.dialects.catalogfile.cursor import Cursor, Tree
from allotment.dialects.catalogfile.yaml12 import compose
from allotment.dialects.wire.source import Repeated, decode, is_sound
from allotment.errors import InvalidInput

# A catalog of 100,000 experiments is about 50 MiB; more than this is not one.
_SIZE_MAX: Final = 64 << 20

# A condition may be nested 32 deep, and each level of it is a mapping and a list.
_DEPTH_MAX: Final = 96


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
    if not is_sound(tree, _DEPTH_MAX):  # which is quick, as it does not know where anything is
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
        return decode(text)
    except json.JSONDecodeError:
        return None
    except RecursionError:
        raise InvalidInput(f"the catalog is nested deeper than {_DEPTH_MAX} levels", "$") from None


def inspect(place: Cursor, depth: int) -> None:
    """Refuse what no reader could take, wherever it stands, and more than `depth` levels."""
    value = place.value
    _inspect_text(str(place.step), place)
    if isinstance(value, list | dict):
        if depth == 0:
            raise place.refusal(f"the catalog is nested deeper than {_DEPTH_MAX} levels")
        if isinstance(value, Repeated):
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
