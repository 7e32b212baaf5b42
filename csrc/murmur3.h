/* The steps of murmur3_x64_128 (Austin Appleby, public domain), for one key after the other
 * (here) and for many side by side (wide.h), where ALLOT_WORD is a vector of numbers, ALLOT_STATE
 * two of these, h1 and h2, and ALLOT_STEP says for which processor. */
#ifndef ALLOT_MURMUR3_H
#define ALLOT_MURMUR3_H

#include <assert.h>
#include <stdint.h>

#include "bytes.h"
#include "digest.h"

#ifndef ALLOT_WORD
#define ALLOT_ONE_BY_ONE
#define ALLOT_WORD uint64_t
#define ALLOT_STATE allot_digest
#define ALLOT_STEP static inline __attribute__((always_inline))
#endif

#define ALLOT_MURMUR3_C1 UINT64_C(0x87c37b91114253d5)
#define ALLOT_MURMUR3_C2 UINT64_C(0x4cf5ad432745937f)

ALLOT_STEP ALLOT_WORD allot_rotate_left(ALLOT_WORD x, unsigned r) { return x << r | x >> (64 - r); }

/* Without a multiplication, which costs more side by side. */
ALLOT_STEP ALLOT_WORD allot_times_5(ALLOT_WORD x) { return (x << 2) + x; }

ALLOT_STEP ALLOT_WORD allot_mix1(ALLOT_WORD k)
{
    return allot_rotate_left(k * ALLOT_MURMUR3_C1, 31) * ALLOT_MURMUR3_C2;
}

ALLOT_STEP ALLOT_WORD allot_mix2(ALLOT_WORD k)
{
    return allot_rotate_left(k * ALLOT_MURMUR3_C2, 33) * ALLOT_MURMUR3_C1;
}

ALLOT_FMIX64(ALLOT_STEP ALLOT_WORD allot_murmur3_mix(ALLOT_WORD k))

/* Takes in one block of 16 bytes. */
ALLOT_STEP ALLOT_STATE allot_murmur3_block(ALLOT_STATE h, ALLOT_WORD k1, ALLOT_WORD k2)
{
    h.h1 = allot_times_5(allot_rotate_left(h.h1 ^ allot_mix1(k1), 27) + h.h2) + 0x52dce729;
    h.h2 = allot_times_5(allot_rotate_left(h.h2 ^ allot_mix2(k2), 31) + h.h1) + 0x38495ab5;
    return h;
}

/* Takes in the 0..15 bytes that are left, as two numbers (0 of no bytes, which mixes to 0), and the
 * size of the whole text. */
ALLOT_STEP ALLOT_STATE allot_murmur3_end(ALLOT_STATE h, ALLOT_WORD k1, ALLOT_WORD k2,
                                           ALLOT_WORD size)
{
    h.h1 ^= allot_mix1(k1) ^ size;
    h.h2 ^= allot_mix2(k2) ^ size;
    h.h1 += h.h2;
    h.h2 += h.h1;
    h.h1 = allot_murmur3_mix(h.h1);
    h.h2 = allot_murmur3_mix(h.h2);
    h.h1 += h.h2;
    h.h2 += h.h1;
    return h;
}

#ifdef ALLOT_ONE_BY_ONE
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

#endif
