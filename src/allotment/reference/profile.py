"""From a profile, a salt and a unit to a bucket."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import Final

from allotment.model.hashing import Bucketing, Encoding, Hash, Slice
from allotment.model.profile import Profile
from allotment.reference.draw import draw
from allotment.reference.hashes import (
    MASK32,
    absolute32,
    fnv1a_32,
    java31,
    md5,
    murmur3_x86_32,
    sha1,
    sha256,
)
from allotment.reference.murmur3 import murmur3_x64_128

_DIGESTS: Final = {Hash.MD5: md5, Hash.SHA1: sha1, Hash.SHA256: sha256}

_SLICES: Final[dict[Slice, Callable[[bytes], int]]] = {
    Slice.BIG_32: lambda digest: int.from_bytes(digest[:4], "big"),
    Slice.LITTLE_32: lambda digest: int.from_bytes(digest[:4], "little"),
    Slice.LITTLE_ABSOLUTE: lambda digest: absolute32(int.from_bytes(digest[:4], "little")),
    Slice.BIG_28: lambda digest: int.from_bytes(digest[:4], "big") >> 4,
    Slice.BIG_60: lambda digest: int.from_bytes(digest[:8], "big") >> 4,
    Slice.BIG_64: lambda digest: int.from_bytes(digest[:8], "big"),
    Slice.BIG_128: lambda digest: int.from_bytes(digest[:16], "big"),
}


def number(profile: Profile, salt: str, unit: str, repeat: int = 1) -> int:
    """The whole number that the profile's rule makes a bucket of."""
    if profile.hash is Hash.NATIVE:
        return draw(salt, unit)
    data = _text(profile, salt, unit) * repeat
    seed = int(salt) & MASK32 if profile.seed is None else profile.seed
    if profile.hash in _DIGESTS:
        hashed = _SLICES[profile.slice](_DIGESTS[profile.hash](data))
    elif profile.hash is Hash.MURMUR3_32:
        hashed = murmur3_x86_32(data, seed)
    elif profile.hash is Hash.MURMUR3_128:
        hashed = murmur3_x64_128(data, seed)[0]
    else:
        hashed = _of_numbers(profile, data, seed)
    return (absolute32(hashed) if profile.slice is Slice.ABSOLUTE else hashed) >> profile.shift


def _text(profile: Profile, salt: str, unit: str) -> bytes:
    """What is hashed."""
    if profile.encoding is Encoding.CBOR_PAIR:
        return b"\x82" + _cbor(salt) + _cbor(unit)
    before, after = (text.replace("{salt}", salt) for text in (profile.before, profile.after))
    whole = before + unit + after
    return _cbor(whole) if profile.encoding is Encoding.CBOR else whole.encode()


def _of_numbers(profile: Profile, data: bytes, seed: int) -> int:
    """The hashes over single numbers: bytes, code units or code points."""
    numbers: Iterable[int] = data
    if profile.encoding is Encoding.UTF16:
        numbers = _code_units(data.decode())
    elif profile.encoding is Encoding.UTF32:
        numbers = map(ord, data.decode())
    if profile.hash is Hash.JAVA31:
        return java31(numbers) ^ seed
    hashed = fnv1a_32(numbers)
    return fnv1a_32(str(hashed).encode()) if profile.hash is Hash.FNV1A_TWICE else hashed


def bucket(profile: Profile, salt: str, unit: str, buckets: int | None = None) -> int:
    """The bucket of a unit, of those that the profile has, or `buckets` where weights say it."""
    count = profile.buckets or buckets
    assert count is not None, "the total of the weights is missing"
    drawn = number(profile, salt, unit)
    if profile.bucketing is Bucketing.SCALE:
        return min(drawn * count >> profile.bits, count - 1)
    if profile.bucketing is Bucketing.DIVIDE:
        return drawn // 100
    if profile.bucketing is Bucketing.REHASH:
        repeat = 1
        while drawn % 9_999 == 9_998:
            repeat += 1
            drawn = number(profile, salt, unit, repeat)
        return drawn % 9_999
    return drawn % count


def _code_units(text: str) -> tuple[int, ...]:
    data = text.encode("utf-16-le")
    return struct.unpack(f"<{len(data) // 2}H", data)


def _cbor(text: str) -> bytes:
    """A text as canonical CBOR, RFC 8949."""
    data = text.encode()
    size = len(data)
    if size < 24:
        return bytes([0x60 | size]) + data
    if size < 1 << 8:
        return bytes([0x78, size]) + data
    return b"\x79" + size.to_bytes(2, "big") + data
