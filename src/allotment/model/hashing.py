"""The parts that a profile is put together from."""

from __future__ import annotations

from enum import IntEnum


class Hash(IntEnum):
    """The hash of the text; the numbers are those of `allot_hash` in csrc/recipe.h."""

    NATIVE = 0  # the unit and the salt are hashed apart and mixed (model of `allotment-1`)
    MURMUR3_32 = 1
    MURMUR3_128 = 2  # the first 64 bits
    FNV1A = 3
    FNV1A_TWICE = 4  # of the decimal text of the first hash
    JAVA31 = 5  # h = 31 * h + c
    MD5 = 6
    SHA1 = 7
    SHA256 = 8


class Encoding(IntEnum):
    """What of the text is hashed; the numbers are those of `allot_encoding`."""

    UTF8 = 0
    UTF16 = 1  # code units, each hashed as one number
    UTF32 = 2  # code points, likewise
    CBOR = 3  # the whole text as one CBOR text
    CBOR_PAIR = 4  # a CBOR array of two texts, the salt and the unit


class Slice(IntEnum):
    """The whole number that is taken of the hash; the numbers are those of `allot_slice`."""

    WHOLE = 0  # of a hash of 32 or 64 bits
    ABSOLUTE = 1  # of 32 bits, as a signed number without its sign
    BIG_32 = 2  # the first four bytes, big-endian
    LITTLE_32 = 3
    LITTLE_ABSOLUTE = 4  # the first four bytes, little-endian, as ABSOLUTE
    BIG_28 = 5  # the first seven hexadecimal digits
    BIG_60 = 6  # the first fifteen
    BIG_64 = 7
    BIG_128 = 8  # all sixteen bytes of an MD5


class Bucketing(IntEnum):
    """How a bucket is made of the number; the numbers are those of `allot_bucketing`."""

    SCALE = 0  # floor(number * buckets / 2^bits)
    MODULO = 1  # number mod buckets
    DIVIDE = 2  # floor(number / 100)
    REHASH = 3  # number mod 9,999; where that is 9,998, of the text written twice, and so on
