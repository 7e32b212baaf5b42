"""Lists of units and of values, as a platform has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from allotment.errors import InvalidInput
from allotment.importers.payload import json_text, refuse
from allotment.model.flag import Variation
from allotment.model.segment import IdList
from allotment.model.text import check_key


def ids_of(values: Iterable[str], path: str) -> IdList:
    """Unit keys as a list; raises LeftOut where one is no unit key."""
    try:
        return IdList.of(values, path)
    except InvalidInput as fault:
        refuse(fault.path, fault.message)


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
