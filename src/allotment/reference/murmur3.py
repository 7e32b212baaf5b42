"""MurmurHash3 x64 128, after its public description (Austin Appleby; in the public domain)."""

from __future__ import annotations

import struct
from typing import Final

MASK: Final = (1 << 64) - 1
_C1: Final = 0x87C37B91114253D5
_C2: Final = 0x4CF5AD432745937F


def murmur3_x64_128(data: bytes, seed: int) -> tuple[int, int]:
    """The two 64-bit halves (h1, h2) of the hash of `data` under a 32-bit unsigned seed."""
    h1 = h2 = seed
    blocks = len(data) // 16 * 16
    for k1, k2 in struct.iter_unpack("<QQ", data[:blocks]):
        h1 ^= _scramble1(k1)
        h1 = (_rotate(h1, 27) + h2) * 5 + 0x52DCE729 & MASK
        h2 ^= _scramble2(k2)
        h2 = (_rotate(h2, 31) + h1) * 5 + 0x38495AB5 & MASK
    tail = data[blocks:]
    h1 ^= _scramble1(int.from_bytes(tail[:8], "little")) ^ len(data)
    h2 ^= _scramble2(int.from_bytes(tail[8:], "little")) ^ len(data)
    h1 = h1 + h2 & MASK
    h2 = h2 + h1 & MASK
    h1, h2 = fmix64(h1), fmix64(h2)
    h1 = h1 + h2 & MASK
    h2 = h2 + h1 & MASK
    return h1, h2


def fmix64(k: int) -> int:
    """The finaliser of MurmurHash3: a bijection of 64-bit numbers that mixes every bit."""
    k ^= k >> 33
    k = k * 0xFF51AFD7ED558CCD & MASK
    k ^= k >> 33
    k = k * 0xC4CEB9FE1A85EC53 & MASK
    return k ^ k >> 33


def _scramble1(k: int) -> int:
    return _rotate(k * _C1 & MASK, 31) * _C2 & MASK


def _scramble2(k: int) -> int:
    return _rotate(k * _C2 & MASK, 33) * _C1 & MASK


def _rotate(k: int, bits: int) -> int:
    return (k << bits | k >> 64 - bits) & MASK
