"""The key of a unit, as text."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import cast

from allotment.model.limits import UNIT_KEY_BYTES_MAX


def unit_key(unit: object, kind: str) -> str | None:
    """The key of the unit of `kind` that the caller named, or None where that names none.

    Text is taken as it is, an integer (not a bool; also one that only has `__index__`, as numpy's)
    in decimal; 1 to 1,024 bytes of UTF-8. A mapping
    names units by their kind; anything else names a unit of the kind that is asked for.
    """
    if issubclass(type(unit), Mapping):
        unit = cast("Mapping[str, object]", unit).get(kind)
    if issubclass(type(unit), str):
        key = str.__str__(cast("str", unit))
    elif (number := _whole(unit)) is not None:
        if abs(number) >= 10**UNIT_KEY_BYTES_MAX:
            return None  # Python itself does not spell what has thousands of digits
        key = str(number)
    else:
        return None
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return None
    return key if 1 <= size <= UNIT_KEY_BYTES_MAX else None


def _whole(unit: object) -> int | None:
    if issubclass(type(unit), int):
        return None if isinstance(unit, bool) else int.__int__(cast("int", unit))
    try:
        return int.__int__(operator.index(unit))  # type: ignore[arg-type]  # it may not be one
    except Exception:  # noqa: BLE001  # whatever a stranger's __index__ raises, it is no number
        return None
