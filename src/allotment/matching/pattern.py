"""Patterns in RE2's language: linear time in the text, bounded memory, never a line on stderr."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import re2

from allotment.errors import InvalidInput
from allotment.model.limits import PATTERN_CHARACTERS_MAX, SUBJECT_CHARACTERS_MAX

# RE2 gives two thirds of this to the compiled pattern and the rest to its automaton's cache.
_MEMORY_BYTES_MAX: Final = 1 << 20

_OPTIONS: Final = re2.Options()
_OPTIONS.max_mem = _MEMORY_BYTES_MAX
_OPTIONS.log_errors = False
_OPTIONS.never_capture = True


def compile_pattern(pattern: str, path: str = "") -> Callable[[str], bool]:
    """Whether a text holds a match of `pattern` anywhere, as a function.

    A text that holds a lone surrogate, or is longer than SUBJECT_CHARACTERS_MAX, holds none.
    Raises InvalidInput for a pattern that RE2 does not take, or that needs too much memory.
    """
    if len(pattern) > PATTERN_CHARACTERS_MAX:
        raise InvalidInput(
            f"a pattern has at most {PATTERN_CHARACTERS_MAX:,} characters; "
            f"this has {len(pattern):,}",
            path,
        )
    try:
        search = re2.compile(pattern.encode(), _OPTIONS).search
    except UnicodeEncodeError:
        message = "a pattern is valid Unicode; this holds a lone surrogate"
        raise InvalidInput(message, path) from None
    except re2.error as error:
        raise InvalidInput(
            f"RE2 does not take this pattern: {_said(error)} "
            "(it has no look-around and no back-references)",
            path,
        ) from None

    def holds(text: str) -> bool:
        if len(text) > SUBJECT_CHARACTERS_MAX:
            return False
        try:
            subject = text.encode()
        except UnicodeEncodeError:
            return False
        return search(subject) is not None

    return holds


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else "no reason given"
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
