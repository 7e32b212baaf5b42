"""Patterns in RE2's language: linear time in the text, bounded memory, never a line on stderr."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import re2

from allotment.errors import InvalidInput
from allotment.model.limits import SUBJECT_CHARACTERS_MAX

# RE2 gives two thirds of this to the compiled pattern and the rest to its automaton's cache.
_MEMORY_BYTES_MAX: Final = 1 << 20

_OPTIONS: Final = re2.Options()
_OPTIONS.max_mem = _MEMORY_BYTES_MAX
_OPTIONS.log_errors = False
_OPTIONS.never_capture = True


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that is ready; `work` is what it may take for a character, in nanoseconds."""

    search: Callable[[bytes], object]
    work: int

    def holds(self, text: str) -> bool:
        """Whether the text holds a match anywhere."""
        subject = subject_of(text)
        return subject is not None and self.search(subject) is not None


def subject_of(text: str) -> bytes | None:
    """What patterns search in a text.

    None for one that holds a lone surrogate, or is longer than SUBJECT_CHARACTERS_MAX: that holds
    no match.
    """
    if len(text) > SUBJECT_CHARACTERS_MAX:
        return None
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None


def compile_pattern(pattern: str, path: str = "") -> Pattern:
    """A pattern made ready.

    Raises InvalidInput for a pattern that RE2 does not take, or that needs too much memory.
    """
    try:
        compiled = re2.compile(pattern.encode(), _OPTIONS)
    except UnicodeEncodeError:
        message = "a pattern is valid Unicode; this holds a lone surrogate"
        raise InvalidInput(message, path) from None
    except re2.error as error:
        raise InvalidInput(
            f"RE2 does not take this pattern: {_said(error)} "
            "(it has no look-around and no back-references)",
            path,
        ) from None
    # Where RE2 has no memory for its automaton it goes over the program at each character.
    return Pattern(compiled.search, 2 + compiled.programsize // 3)


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else "no reason given"
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
