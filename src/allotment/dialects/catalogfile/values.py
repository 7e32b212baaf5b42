"""Values that are JSON: in the file as they are, in the model as text."""

from __future__ import annotations

import json
from typing import Final

from allotment.dialects.catalogfile.cursor import Cursor, Tree
from allotment.dialects.catalogfile.source import inspect
from allotment.errors import InvalidInput

# What a mapping in place of a bare value holds: the value, or its exact text.
VALUE: Final = ("value", "json")

# A deeper value is shown as JSON text: a file is not nested as deep as it might be.
_DEPTH_MAX: Final = 32


def read_value(place: Cursor) -> str:
    """The JSON text of a bare value, or of one in a mapping, under `value` or as text in `json`."""
    if not isinstance(place.value, dict):
        return _to_json(place.value)
    value, text = place.at("value"), place.at("json")
    if value.given == text.given:
        raise place.refusal("a mapping here has its value under `value`, or under `json`")
    return _read_json(text) if text.given else _to_json(value.value)


def show_value(text: str, labels: dict[str, Tree]) -> Tree:
    """The value of JSON text as the file spells it, bare where it needs neither text nor labels."""
    value, exact = _from_json(text)
    if exact and not labels and not isinstance(value, dict):
        return value
    return {"value": value, **labels} if exact else {"json": text, **labels}


def read_kept(place: Cursor) -> tuple[tuple[str, str], ...]:
    """What is kept for vendors' APIs: a mapping of paths to values."""
    kept: list[tuple[str, str]] = []
    for path, item in place.entries():
        if isinstance(item.value, dict):
            item.fields(VALUE)
        kept.append((path, read_value(item)))
    return tuple(sorted(kept))


def show_kept(kept: tuple[tuple[str, str], ...]) -> dict[str, Tree]:
    """What is kept as the file spells it, as a field of its noun; no field where nothing is."""
    return {"kept": {path: show_value(text, {}) for path, text in kept}} if kept else {}


def _from_json(text: str) -> tuple[Tree, bool]:
    """The value that the text spells, and whether reading the value back gives that very text."""
    value: Tree = json.loads(text)
    try:
        inspect(Cursor(value), _DEPTH_MAX)
    except InvalidInput:
        return value, False
    return value, _to_json(value) == text


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _read_json(place: Cursor) -> str:
    text = place.text()
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise place.refusal("this is not JSON text") from None
    return text


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")
