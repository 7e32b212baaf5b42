/* murmur3_x86_32 (Austin Appleby, public domain). */
#include "bytes.h"
#include "hashes.h"

static inline uint32_t mix(uint32_t k)
{
    return allot_rotate_left32(k * UINT32_C(0xcc9e2d51), 15) * UINT32_C(0x1b873593);
}

uint32_t allot_murmur3_32_words(uint32_t h, const uint8_t *text, size_t size)
{
    for (const uint8_t *end = text + size; text != end; text += 4)
        h = allot_rotate_left32(h ^ mix(allot_load_little32(text)), 13) * 5 + UINT32_C(0xe6546b64);
    return h;
}

uint32_t allot_murmur3_32_end(uint32_t h, const uint8_t *text, size_t size, uint32_t whole)
{
    const size_t words = size & ~(size_t)3;
    h = allot_murmur3_32_words(h, text, words);
    uint32_t tail = 0;
    for (size_t i = words; i < size; i++) tail |= (uint32_t)text[i] << 8 * (i - words);
    h ^= mix(tail) ^ whole;
    h = (h ^ h >> 16) * UINT32_C(0x85ebca6b);
    h = (h ^ h >> 13) * UINT32_C(0xc2b2ae35);
    return h ^ h >> 16;
}
