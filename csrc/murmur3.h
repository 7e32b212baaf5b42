/* The steps of murmur3_x64_128 (Austin Appleby, public domain), for one key after the other
 * (here) and for many side by side (digests.c). */
#ifndef ALLOT_MURMUR3_H
#define ALLOT_MURMUR3_H

#include <assert.h>
#include <stdint.h>

#include "bytes.h"
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

/* The 0..8 bytes at `at` as one little-endian number, by reads that may overlap instead of a loop:
 * a byte that is read twice lands in the same place both times. */
static inline uint64_t allot_load_up_to_8(const uint8_t *at, size_t size)
{
    if (size == 8)
        return allot_load_little64(at);
    if (size >= 4)
        return allot_load_little32(at) |
               (uint64_t)allot_load_little32(at + size - 4) << 8 * (size - 4);
    if (size == 0)
        return 0;
    return at[0] | (uint64_t)at[size / 2] << 8 * (size / 2) |
           (uint64_t)at[size - 1] << 8 * (size - 1);
}

/* allot_digest_text in the place where it is asked: a single call has no time for another one. */
static inline allot_digest allot_murmur3(const uint8_t *text, size_t size, uint32_t seed)
{
    assert(text != NULL || size == 0);
    allot_digest h = {seed, seed};
    const uint8_t *at = text;
    size_t left = size;

    for (; left >= 16; at += 16, left -= 16)
        h = allot_murmur3_block(h, allot_load_little64(at), allot_load_little64(at + 8));
    const uint64_t low = allot_load_up_to_8(at, left < 8 ? left : 8);
    const uint64_t high = left > 8 ? allot_load_up_to_8(at + 8, left - 8) : 0;
    return allot_murmur3_end(h, low, high, size);
}

#endif
