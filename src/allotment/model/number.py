"""Exact numbers: decimal text, weights and shares to integers. Nothing is computed in floats."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from allotment.errors import InvalidInput
from allotment.model.limits import BUCKETS

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


# More digits than this cannot be meant; they would only make the integers long.
_DECIMALS_MAX = 12
_MAGNITUDE_MAX = Decimal(10) ** 12


def read_weight(value: object, path: str) -> Decimal:
    """The exact value of a weight as it arrives: int 50, number 33.5 or string "10".

    A float stands for the shortest decimal that spells it, which is what its author wrote. Raises
    InvalidInput for anything else: a bool, NaN, an infinity, a negative, an exponent beyond reason,
    text that is more than digits and a point.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise InvalidInput(f"a weight is a number; this is {type(value).__name__}", path)
    if isinstance(value, str):
        exact = read_decimal(value)
        if exact is None:
            raise InvalidInput("a number is digits with at most one point, such as 33.5", path)
    else:
        exact = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite() or exact < 0 or exact > _MAGNITUDE_MAX:
        raise InvalidInput("a weight is a finite number, 0 or more", path)
    if exact != round(exact, _DECIMALS_MAX):
        raise InvalidInput(f"a weight has at most {_DECIMALS_MAX} decimals", path)
    return exact


def to_parts(weights: Sequence[Decimal | int], total: Decimal | int) -> tuple[list[int], int]:
    """The same weights as integer parts of an integer total, scaled by the least power of ten.

    >>> to_parts([Decimal("33.5"), Decimal("66.5")], Decimal(100))
    ([335, 665], 1000)
    """
    numbers = (*weights, total)
    if all(isinstance(number, int) for number in numbers):
        return [int(number) for number in weights], int(total)
    exact = map(Decimal, numbers)
    decimals = max((-int(w.normalize().as_tuple().exponent) for w in exact), default=0)
    scale = Decimal(10) ** max(decimals, 0)
    return [int(w * scale) for w in weights], int(total * scale)


def read_percent(value: object, path: str) -> int:
    """Parts per million of a share written like "12.5%"; raises InvalidInput for anything else.

    A bare number is refused because 0.5 and 50 would both be plausible.
    """
    if not isinstance(value, str) or not value.endswith("%"):
        raise InvalidInput('a share is text with a percent sign, such as "12.5%"', path)
    ppm = read_weight(value[:-1], path) * (BUCKETS // 100)
    if ppm > BUCKETS or ppm != int(ppm):
        raise InvalidInput("a share is 0% to 100% with at most four decimals", path)
    return int(ppm)


def show_percent(ppm: int) -> str:
    """The share as `read_percent` reads it: 125000 is "12.5%"."""
    whole, rest = divmod(ppm, BUCKETS // 100)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".") + "%"
