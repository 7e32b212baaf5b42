"""The key of a unit, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from allotment.model.limits import UNIT_KEY_BYTES_MAX
from allotment.values import key_of


def unit_key(unit: object, kind: str) -> str | None:
    """The key of the unit of `kind` that the caller named, or None where that names none.

    A mapping names units by their kind; anything else names a unit of the kind that is asked for.
    The key is 1 to 1,024 bytes of UTF-8.
    """
    if issubclass(type(unit), Mapping):
        unit = cast("Mapping[str, object]", unit).get(kind)
    key = key_of(unit)
    if isinstance(key, int):
        if abs(key) >= 10**UNIT_KEY_BYTES_MAX:
            return None  # Python itself does not spell what has thousands of digits
        key = str(key)
    if key is None:
        return None
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return None
    return key if 1 <= size <= UNIT_KEY_BYTES_MAX else None
