"""The hashes of the profiles, byte for byte as their authors describe them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

MASK32: Final = (1 << 32) - 1


def murmur3_x86_32(data: bytes, seed: int) -> int:
    """murmur3's 32-bit hash (Austin Appleby, public domain)."""
    h, blocks = seed, len(data) // 4 * 4
    for at in range(0, blocks, 4):
        h ^= _mixed(int.from_bytes(data[at : at + 4], "little"))
        h = (_rotated(h, 13) * 5 + 0xE6546B64) & MASK32
    h ^= _mixed(int.from_bytes(data[blocks:], "little"))
    h ^= len(data)
    h = (h ^ h >> 16) * 0x85EBCA6B & MASK32
    h = (h ^ h >> 13) * 0xC2B2AE35 & MASK32
    return h ^ h >> 16


def _mixed(k: int) -> int:
    return _rotated(k * 0xCC9E2D51 & MASK32, 15) * 0x1B873593 & MASK32


def _rotated(x: int, bits: int) -> int:
    return (x << bits | x >> (32 - bits)) & MASK32


def fnv1a_32(numbers: Iterable[int]) -> int:
    """FNV-1a (Fowler, Noll, Vo) of 32 bits, over bytes or over wider numbers."""
    h = 0x811C9DC5
    for number in numbers:
        h = (h ^ number) * 0x01000193 & MASK32
    return h


def java31(numbers: Iterable[int]) -> int:
    """The hash of Java's strings, of 32 bits."""
    h = 0
    for number in numbers:
        h = h * 31 + number & MASK32
    return h


def absolute32(number: int) -> int:
    """A number of 32 bits, read as a signed one, without its sign."""
    return number if number < 1 << 31 else (1 << 32) - number


def md5(data: bytes) -> bytes:
    """MD5, RFC 1321."""
    return hashlib.md5(data, usedforsecurity=False).digest()


def sha1(data: bytes) -> bytes:
    """SHA-1, FIPS 180-4."""
    return hashlib.sha1(data, usedforsecurity=False).digest()


def sha256(data: bytes) -> bytes:
    """SHA-256, FIPS 180-4."""
    return hashlib.sha256(data).digest()
