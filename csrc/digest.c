#include "digest.h"

#include <assert.h>

#include "bytes.h"
#include "murmur3.h"

/* The 1..8 bytes at `at` as one little-endian number, by reads that may overlap instead of a loop:
 * a byte that is read twice lands in the same place both times. */
static inline uint64_t read_up_to_8(const uint8_t *at, size_t size)
{
    if (size == 8)
        return allot_load_little64(at);
    if (size >= 4)
        return allot_load_little32(at) |
               (uint64_t)allot_load_little32(at + size - 4) << 8 * (size - 4);
    return at[0] | (uint64_t)at[size / 2] << 8 * (size / 2) |
           (uint64_t)at[size - 1] << 8 * (size - 1);
}

allot_digest allot_digest_text(const uint8_t *text, size_t size, uint32_t seed)
{
    assert(text != NULL || size == 0);
    allot_digest h = {seed, seed};
    const uint8_t *at = text;
    size_t left = size;

    for (; left >= 16; at += 16, left -= 16)
        h = allot_murmur3_block(h, allot_load_little64(at), allot_load_little64(at + 8));
    const uint64_t low = left > 0 ? read_up_to_8(at, left < 8 ? left : 8) : 0;
    const uint64_t high = left > 8 ? read_up_to_8(at + 8, left - 8) : 0;
    return allot_murmur3_end(h, low, high, size);
}
