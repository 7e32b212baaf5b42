"""Semantic versions: strict parsing and precedence, after the public text of SemVer 2.0.0."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

# A number without leading zeros, so that numbers compare as (how many digits, digits): exact for
# any length, where `int` refuses more than 4,300 digits.
_NUMBER: Final = re.compile(r"(?:0|[1-9][0-9]*)\Z")
_DIGITS: Final = re.compile(r"[0-9]+\Z")
_IDENTIFIER: Final = re.compile(r"[0-9A-Za-z-]+\Z")

Number: TypeAlias = tuple[int, str]
Identifier: TypeAlias = tuple[bool, int, str]
Precedence: TypeAlias = tuple[tuple[Number, ...], bool, tuple[Identifier, ...]]


def precedence(text: str) -> Precedence | None:
    """A key that orders versions by precedence (SemVer 2.0.0, section 11), or None if it is none.

    Strict: three numbers without leading zeros, no "v" before them, no space around. Build metadata
    must be well formed and does not count.
    """
    rest, plus, build = text.partition("+")
    core, dash, release = rest.partition("-")
    numbers = core.split(".")
    identifiers = release.split(".") if dash else []
    if len(numbers) != 3 or not all(map(_NUMBER.match, numbers)):
        return None
    if plus and not all(map(_IDENTIFIER.match, build.split("."))):
        return None
    if not all(map(_is_identifier, identifiers)):
        return None
    # A version without a pre-release comes after all that have one: False sorts before True.
    return tuple(map(_number, numbers)), not dash, tuple(map(_identifier, identifiers))


def _is_identifier(text: str) -> bool:
    if _DIGITS.match(text):
        return _NUMBER.match(text) is not None
    return _IDENTIFIER.match(text) is not None


def _number(text: str) -> Number:
    return len(text), text


def _identifier(text: str) -> Identifier:
    """Numbers come before words; words compare by their ASCII letters, not by length."""
    if _DIGITS.match(text):
        return False, len(text), text
    return True, 0, text
