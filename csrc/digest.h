/* The digest of a text: murmur3_x64_128 (Austin Appleby, public domain), blocks read little-endian,
 * tail bytes unsigned, h1 before h2, the seed an unsigned 32-bit number that starts both halves. */
#ifndef ALLOT_DIGEST_H
#define ALLOT_DIGEST_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t h1, h2;
} allot_digest;

enum {
    ALLOT_SEED_UNIT = 0,
    ALLOT_SEED_SALT = 1
};

/* `text` may be NULL only if `size` is 0. Total: every sequence of bytes has a digest. */
allot_digest allot_digest_text(const uint8_t *text, size_t size, uint32_t seed);

/* murmur3's finaliser: a bijection of the 64-bit numbers; every bit depends on every bit. As a
 * function, or as one on many numbers side by side. */
#define ALLOT_FMIX64(function)                                                                     \
    function                                                                                       \
    {                                                                                              \
        k ^= k >> 33;                                                                              \
        k *= UINT64_C(0xff51afd7ed558ccd);                                                         \
        k ^= k >> 33;                                                                              \
        k *= UINT64_C(0xc4ceb9fe1a85ec53);                                                         \
        k ^= k >> 33;                                                                              \
        return k;                                                                                  \
    }
ALLOT_FMIX64(static inline uint64_t allot_fmix64(uint64_t k))

#endif
