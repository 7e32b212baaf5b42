/* The steps of murmur3_x64_128 (Austin Appleby, public domain), for one key after the other
 * (digest.c) and for many side by side (digests.c). */
#ifndef ALLOT_MURMUR3_H
#define ALLOT_MURMUR3_H

#include <stdint.h>

#include "digest.h"

#define ALLOT_MURMUR3_C1 UINT64_C(0x87c37b91114253d5)
#define ALLOT_MURMUR3_C2 UINT64_C(0x4cf5ad432745937f)

/* Inlined into loops for other processors too, which a plain `inline` may refuse. */
#define ALLOT_STEP static inline __attribute__((always_inline))

ALLOT_STEP uint64_t allot_rotate_left(uint64_t x, unsigned r) { return x << r | x >> (64 - r); }

ALLOT_STEP uint64_t allot_mix1(uint64_t k)
{
    return allot_rotate_left(k * ALLOT_MURMUR3_C1, 31) * ALLOT_MURMUR3_C2;
}

ALLOT_STEP uint64_t allot_mix2(uint64_t k)
{
    return allot_rotate_left(k * ALLOT_MURMUR3_C2, 33) * ALLOT_MURMUR3_C1;
}

/* Takes in one block of 16 bytes. */
ALLOT_STEP allot_digest allot_murmur3_block(allot_digest h, uint64_t k1, uint64_t k2)
{
    h.h1 = (allot_rotate_left(h.h1 ^ allot_mix1(k1), 27) + h.h2) * 5 + 0x52dce729;
    h.h2 = (allot_rotate_left(h.h2 ^ allot_mix2(k2), 31) + h.h1) * 5 + 0x38495ab5;
    return h;
}

/* Takes in the 0..15 bytes that are left, as two numbers (0 of no bytes, which mixes to 0), and the
 * size of the whole text. */
ALLOT_STEP allot_digest allot_murmur3_end(allot_digest h, uint64_t k1, uint64_t k2, uint64_t size)
{
    h.h1 ^= allot_mix1(k1) ^ size;
    h.h2 ^= allot_mix2(k2) ^ size;
    h.h1 += h.h2;
    h.h2 += h.h1;
    h.h1 = allot_fmix64(h.h1);
    h.h2 = allot_fmix64(h.h2);
    h.h1 += h.h2;
    h.h2 += h.h1;
    return h;
}

#endif
