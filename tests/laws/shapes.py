"""Unit keys as they come in practice: a million of each shape, the same ones every time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice, product
from string import ascii_lowercase

import numpy as np


def _hexadecimal(count: int, seed: int) -> list[str]:
    """`count` texts of 32 random hexadecimal digits."""
    digits = np.random.default_rng(seed).bytes(16 * count).hex()
    return [digits[start : start + 32] for start in range(0, 32 * count, 32)]


def _uuid(digits: str, version: int) -> str:
    rest = f"{digits[8:12]}-{version}{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
    return f"{digits[:8]}-{rest}"


def _random_uuids(count: int) -> list[str]:
    return [_uuid(digits, 4) for digits in _hexadecimal(count, 4)]


def _time_ordered_uuids(count: int) -> list[str]:
    """Version 7: a millisecond, three of which share it here, then random digits."""
    began = 1_700_000_000_000
    return [
        _uuid(f"{began + index // 3:012x}{digits[12:]}", 7)
        for index, digits in enumerate(_hexadecimal(count, 7))
    ]


SHAPES: dict[str, Callable[[int], list[str]]] = {
    "sequential": lambda count: list(map(str, range(count))),
    "even": lambda count: list(map(str, range(0, 2 * count, 2))),
    "random UUIDs": _random_uuids,
    "time-ordered UUIDs": _time_ordered_uuids,
    "emails": lambda count: [f"user{index}@example.com" for index in range(count)],
    "five letters": lambda count: [
        "".join(letters) for letters in islice(product(ascii_lowercase, repeat=5), count)
    ],
    "zero-padded": lambda count: [f"{index:012d}" for index in range(count)],
    "a common prefix of 64 bytes": lambda count: [f"{'x' * 64}{index}" for index in range(count)],
}
