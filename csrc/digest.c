#include "digest.h"

#include <assert.h>
#include <string.h>

static const uint64_t C1 = UINT64_C(0x87c37b91114253d5);
static const uint64_t C2 = UINT64_C(0x4cf5ad432745937f);

static inline uint64_t rotate_left(uint64_t x, unsigned r) { return x << r | x >> (64 - r); }

static inline uint64_t read64(const uint8_t *at)
{
    uint64_t x;
    memcpy(&x, at, sizeof x);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

static inline uint32_t read32(const uint8_t *at)
{
    uint32_t x;
    memcpy(&x, at, sizeof x);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap32(x);
#endif
    return x;
}

/* The 1..8 bytes at `at` as one little-endian number, by reads that may overlap instead of a loop:
 * a byte that is read twice lands in the same place both times. */
static inline uint64_t read_up_to_8(const uint8_t *at, size_t size)
{
    if (size == 8)
        return read64(at);
    if (size >= 4)
        return read32(at) | (uint64_t)read32(at + size - 4) << 8 * (size - 4);
    return at[0] | (uint64_t)at[size / 2] << 8 * (size / 2) |
           (uint64_t)at[size - 1] << 8 * (size - 1);
}

static inline uint64_t mix1(uint64_t k) { return rotate_left(k * C1, 31) * C2; }
static inline uint64_t mix2(uint64_t k) { return rotate_left(k * C2, 33) * C1; }

allot_digest allot_digest_text(const uint8_t *text, size_t size, uint32_t seed)
{
    assert(text != NULL || size == 0);
    uint64_t h1 = seed, h2 = seed;
    const uint8_t *at = text;
    size_t left = size;

    for (; left >= 16; at += 16, left -= 16) {
        h1 ^= mix1(read64(at));
        h1 = (rotate_left(h1, 27) + h2) * 5 + 0x52dce729;
        h2 ^= mix2(read64(at + 8));
        h2 = (rotate_left(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    if (left > 8)
        h2 ^= mix2(read_up_to_8(at + 8, left - 8));
    if (left > 0)
        h1 ^= mix1(read_up_to_8(at, left < 8 ? left : 8));

    h1 ^= size;
    h2 ^= size;
    h1 += h2;
    h2 += h1;
    h1 = allot_fmix64(h1);
    h2 = allot_fmix64(h2);
    h1 += h2;
    h2 += h1;
    return (allot_digest){h1, h2};
}
