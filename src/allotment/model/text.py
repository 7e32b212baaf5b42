"""What counts as a key, a name and a unit key. Anything else is refused, never repaired."""

from __future__ import annotations

import re
from typing import Final

from allotment.errors import InvalidInput
from allotment.model.limits import (
    KEY_BYTES_MAX,
    NAME_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
    UNIT_KEY_BYTES_MAX,
)

_KEY = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{KEY_BYTES_MAX - 1}}}\Z")

# What ECMAScript, and with it JSON Schema and every vendor's patterns, takes for white space.
# Python has the separators U+001C to U+001F and U+0085 beside these, and has not U+FEFF.
LINE_ENDS: Final = "\n\r\u2028\u2029"
WHITE_SPACE: Final = (
    "\t\v\f \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    f"\u202f\u205f\u3000\ufeff{LINE_ENDS}"
)


_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def is_blank(text: str) -> bool:
    """Whether the text says nothing: it is empty, or white space alone."""
    return not text.strip(WHITE_SPACE)


def is_key(text: str) -> bool:
    """Whether a text can name a noun: letters, digits, `.`, `_`, `-`, first a letter or digit."""
    return _KEY.match(text) is not None


def check_key(key: object, path: str) -> str:
    """`key` if it can name a noun."""
    if isinstance(key, str) and is_key(key):
        return key
    raise InvalidInput(
        f"a key is 1 to {KEY_BYTES_MAX} letters, digits, '.', '_' or '-', "
        "and begins with a letter or digit",
        path,
    )


def check_unit_key(key: object, path: str) -> str:
    """`key` if it can name a unit: text of 1 to 1,024 UTF-8 bytes, unchanged."""
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
    """`name` if it can label a noun: up to 1,024 characters of valid Unicode without NUL.

    It is empty where there is no name, and never white space alone.
    """
    text = check_text(name, NAME_CHARACTERS_MAX, "name", path)
    if text and is_blank(text):
        raise InvalidInput("a name is not white space alone; leave it out, or write one", path)
    return text


def check_description(text: object, path: str) -> str:
    """`text` if it can describe a noun: up to 16,384 characters of valid Unicode without NUL."""
    return check_text(text, TEXT_CHARACTERS_MAX, "description", path)


def check_text(text: object, characters_max: int, noun: str, path: str) -> str:
    """`text` if it has at most so many characters of valid Unicode and no NUL."""
    if not isinstance(text, str):
        raise InvalidInput(f"a {noun} is text; this is {type(text).__name__}", path)
    if len(text) > characters_max:
        raise InvalidInput(
            f"a {noun} has at most {characters_max:,} characters; this has {len(text):,}", path
        )
    if "\0" in text or (not text.isascii() and _SURROGATE.search(text)):
        raise InvalidInput(f"a {noun} holds neither NUL nor a lone surrogate", path)
    return text
