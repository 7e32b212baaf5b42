"""The patterns of vendors' fields, which are ECMAScript's, as patterns of Python's."""

from __future__ import annotations

import re
from typing import Final

from allotment.model.text import LINE_ENDS, WHITE_SPACE

# What the two languages read differently outside a set of characters.
_OURS: Final = {
    r"\s": f"[{WHITE_SPACE}]",
    r"\S": f"[^{WHITE_SPACE}]",
    ".": f"[^{LINE_ENDS}]",
    "$": r"\Z",
}
_TOKEN: Final = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|.", re.DOTALL)


def ecmascript(pattern: str) -> re.Pattern[str]:
    """The pattern, to `search` with: it finds what a vendor's own check finds.

    Sets of characters stay as they are; white space in one is not taken. Digits and words are
    ASCII, as they are there.
    """
    parts = _TOKEN.findall(pattern)
    if any(part[0] == "[" and ("\\s" in part or "\\S" in part) for part in parts):
        raise ValueError("white space in a set of characters is not the same in both languages")
    return re.compile("".join(_OURS.get(part, part) for part in parts), re.ASCII)
