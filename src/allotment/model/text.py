"""What counts as a key, a name and a unit key. Anything else is refused, never repaired."""

from __future__ import annotations

import re

from allotment.errors import InvalidInput
from allotment.model.limits import (
    KEY_BYTES_MAX,
    NAME_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
    UNIT_KEY_BYTES_MAX,
)

_KEY = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{KEY_BYTES_MAX - 1}}}\Z")


def check_key(key: object, path: str) -> str:
    """`key` if it can name a noun: letters, digits, `.`, `_`, `-`, first a letter or digit."""
    if isinstance(key, str) and _KEY.match(key):
        return key
    raise InvalidInput(
        f"a key is 1 to {KEY_BYTES_MAX} letters, digits, '.', '_' or '-', "
        "and begins with a letter or digit",
        path,
    )


def check_unit_key(key: object, path: str) -> str:
    """`key` if it can name a unit: text of 1 to 1,024 UTF-8 bytes, taken as it is."""
    if not isinstance(key, str):
        raise InvalidInput(f"a unit key is text; this is {type(key).__name__}", path)
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise InvalidInput(
            "a unit key is valid Unicode; this holds a lone surrogate", path
        ) from None
    if not 1 <= size <= UNIT_KEY_BYTES_MAX:
        raise InvalidInput(
            f"a unit key has 1 to {UNIT_KEY_BYTES_MAX:,} UTF-8 bytes; this has {size:,}", path
        )
    return key


def check_name(name: object, path: str) -> str:
    """`name` if it can label a noun: up to 1,024 characters of valid Unicode without NUL."""
    return _check_text(name, NAME_CHARACTERS_MAX, "name", path)


def check_description(text: object, path: str) -> str:
    """`text` if it can describe a noun: up to 16,384 characters of valid Unicode without NUL."""
    return _check_text(text, TEXT_CHARACTERS_MAX, "description", path)


def _check_text(text: object, characters_max: int, noun: str, path: str) -> str:
    if not isinstance(text, str):
        raise InvalidInput(f"a {noun} is text; this is {type(text).__name__}", path)
    if len(text) > characters_max:
        raise InvalidInput(
            f"a {noun} has at most {characters_max:,} characters; this has {len(text):,}", path
        )
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidInput(f"a {noun} holds neither NUL nor a lone surrogate", path)
    return text
