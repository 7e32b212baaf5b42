"""Patterns that every engine reads alike: platforms' own SDKs use different ones."""

from __future__ import annotations

import re
from typing import Final

from allotment.importers.payload import refuse

# No classes, no "$", no escapes of letters, no groups with a meaning of their own. What "." does
# with the end of a line differs, and no attribute is expected to have one.
_PORTABLE: Final = re.compile(
    r"\^?(?:[A-Za-z0-9 _@/:,;#%&=~\"'<>!-]|\\[^A-Za-z0-9\s]|\.|[*+](?![*+?])|\?(?![*+?])|[|()])*\Z"
)


def check_pattern(pattern: str, path: str) -> None:
    """Raise LeftOut for a pattern that engines read in different ways."""
    if not _PORTABLE.match(pattern) or "(?" in pattern:
        refuse(path, "the platform's own SDKs do not read this pattern alike")
