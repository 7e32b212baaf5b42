"""The frozen algorithm `allotment-1`, for those who check it against another implementation."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from allotment.errors import InvalidInput
from allotment.kernel.csrc cimport (
    ALLOT_SEED_SALT,
    ALLOT_SEED_UNIT,
    allot_bucket,
    allot_digest,
    allot_digest_text,
    allot_draw,
)


cdef allot_digest digest_of(str text, uint32_t seed):
    cdef bytes encoded
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        raise InvalidInput("a text with a lone surrogate has no UTF-8 form") from None
    return allot_digest_text(<const uint8_t *><const char *>encoded, len(encoded), seed)


def digest(bytes text not None, uint32_t seed):
    cdef allot_digest made = allot_digest_text(
        <const uint8_t *><const char *>text, len(text), seed
    )
    return made.h1, made.h2


def draw(str salt not None, str unit not None):
    return allot_draw(digest_of(salt, ALLOT_SEED_SALT), digest_of(unit, ALLOT_SEED_UNIT))


def bucket(uint64_t draw, uint32_t buckets=1_000_000):
    return allot_bucket(draw, buckets)
