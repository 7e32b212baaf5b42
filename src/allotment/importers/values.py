"""Units and values, as a platform has them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from allotment.errors import InvalidInput
from allotment.importers.payload import json_text, refuse
from allotment.model.flag import Variation
from allotment.model.segment import IdList, Scalar
from allotment.model.text import check_key

# Doubles hold every whole number below.
_EXACT: Final = 2**53


def ids_of(values: Iterable[str], path: str) -> IdList:
    """Unit keys as a list; raises LeftOut where one is no unit key."""
    try:
        return IdList.of(values, path)
    except InvalidInput as fault:
        refuse(fault.path, fault.message)


def scalar_of(value: Any, path: str) -> Scalar:
    """A value that a clause compares; raises LeftOut for any other."""
    if not isinstance(value, str | int | float | bool):
        refuse(path, "only text, numbers and truth values are compared")
    return value


def ordered(value: Any, path: str) -> int | float:
    """A number that others are below or above; raises LeftOut for what platforms do not order so.

    They compare doubles, so a number that is written with more digits is another one there.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(path, "only numbers are ordered")
    if abs(value) >= _EXACT:
        refuse(path, "the platform compares doubles, which do not hold this number")
    return value


def number_of(text: str) -> float | None:
    """The finite number that a text spells, as most languages read it; None where it is none."""
    if not text.isascii() or "_" in text or text != text.strip():
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def spelled_by(text: str) -> float | None:
    """The number that Rust writes as this text, without an exponent, if there is one."""
    number = number_of(text)
    if number is None:
        return None
    shown = format(Decimal(repr(number)), "f").removesuffix(".0")
    if shown != text or shown == "-0":
        return None
    return int(number) if number.is_integer() and abs(number) <= _EXACT else number


def variations_of(values: Sequence[Any]) -> tuple[Variation, ...]:
    """A variation for each value, in their order.

    Where the values, or those that are text as they stand, are good keys and no two are alike,
    they are the keys; else these are numbers, from 0.
    """
    texts = [json_text(value) for value in values]
    pairs = zip(values, texts, strict=True)
    keys = [value if isinstance(value, str) else text for value, text in pairs]
    if len(set(keys)) < len(keys) or not all(map(is_key, keys)):
        keys = [str(index) for index in range(len(values))]
    return tuple(Variation(key, text) for key, text in zip(keys, texts, strict=True))


def is_key(text: str) -> bool:
    """Whether a noun may have this key."""
    try:
        check_key(text, "")
    except InvalidInput:
        return False
    return True
