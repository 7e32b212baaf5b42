"""`allotment-1`: from a salt and a unit to a draw, and from a draw to a bucket."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from allotment.model.limits import BUCKETS
from allotment.reference.murmur3 import MASK, fmix64, murmur3_x64_128

UNIT_SEED: Final = 0
SALT_SEED: Final = 1


@lru_cache(maxsize=1 << 14)
def digest(text: str, seed: int) -> tuple[int, int]:
    """The two 64-bit halves of the digest of a unit key (seed 0) or a salt (seed 1)."""
    return murmur3_x64_128(text.encode(), seed)


def draw(salt: str, unit: str) -> int:
    """The 64-bit draw of a unit under a salt."""
    s1, s2 = digest(salt, SALT_SEED)
    u1, u2 = digest(unit, UNIT_SEED)
    return fmix64((u1 ^ s1) + (u2 ^ s2) & MASK)


def bucket(drawn: int, buckets: int = BUCKETS) -> int:
    """floor(drawn * buckets / 2^64): 0 to buckets - 1."""
    return drawn * buckets >> 64
