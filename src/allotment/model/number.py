"""Numbers that come as text: one grammar for all readers of it.

Decimal digits, in a fraction with one point among them: "50", "33.5". There is no sign, exponent,
space or underscore, and no digit of another script, all of which Python's own readers take.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

# Every number that is read here fits into 64 bits.
_WHOLE: Final = re.compile(r"[0-9]{1,18}")
DECIMAL: Final = r"[0-9]{1,18}(\.[0-9]{1,18})?"
_DECIMAL: Final = re.compile(DECIMAL)


def read_whole(text: str) -> int | None:
    """The whole number that a text spells; None where it spells none."""
    return int(text) if _WHOLE.fullmatch(text) else None


def read_decimal(text: str) -> Decimal | None:
    """The number that a text spells, exactly; None where it spells none."""
    return Decimal(text) if _DECIMAL.fullmatch(text) else None
