"""What an attribute's value counts as when a clause looks at it."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from enum import Enum
from typing import Final, TypeAlias, cast

from allotment.model.segment import Scalar


class Opaque(Enum):
    """A value that is present and that no clause but `exists` can look into."""

    OPAQUE = "opaque"


OPAQUE: Final = Opaque.OPAQUE

Value: TypeAlias = Scalar | Opaque


def values_of(value: object) -> Iterator[Value]:
    """The values that a clause looks at: the value, or each element where it is a list or tuple.

    None among the elements is skipped, and so is a list within a list.
    """
    kind = type(value)
    if issubclass(kind, list):
        elements = list.__iter__(cast(list[object], value))
    elif issubclass(kind, tuple):
        elements = tuple.__iter__(cast(tuple[object, ...], value))
    else:
        yield value_of(value)
        return
    for element in elements:
        if element is not None and not issubclass(type(element), list | tuple):
            yield value_of(element)


def value_of(value: object) -> Value:
    """One value that is not None, reduced to the type it counts as; never raises.

    Text, an int and a float of a subclass count as their exact text and number: none of the
    subclass's own methods is called. What only has `__index__` counts as that int. NaN, and
    everything else, is OPAQUE. The true type is asked, never `__class__`, which can lie.
    """
    kind = type(value)
    if kind is str or kind is bool or kind is int:
        return cast(Scalar, value)
    if issubclass(kind, str):
        return str.__str__(cast(str, value))
    if issubclass(kind, int):
        return int.__int__(cast(int, value))
    if issubclass(kind, float):
        number = float.__float__(cast(float, value))
        return OPAQUE if math.isnan(number) else number
    try:
        return int.__int__(operator.index(value))  # type: ignore[arg-type]  # it may not be one
    except Exception:  # noqa: BLE001  # whatever a stranger's __index__ raises, it is no number
        return OPAQUE
