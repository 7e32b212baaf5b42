/* murmur3_x86_32 (Austin Appleby, public domain). */
#include "hashes.h"

uint32_t allot_murmur3_32_words(uint32_t h, const uint8_t *text, size_t size)
{
    for (const uint8_t *end = text + size; text != end; text += 4)
        h = allot_murmur3_32_step(h, allot_load_little32(text));
    return h;
}

uint32_t allot_murmur3_32_end(uint32_t h, const uint8_t *text, size_t size, uint32_t whole)
{
    const size_t words = size & ~(size_t)3;
    h = allot_murmur3_32_words(h, text, words);
    uint32_t tail = 0;
    for (size_t i = words; i < size; i++) tail |= (uint32_t)text[i] << 8 * (i - words);
    return allot_murmur3_32_finish(h, tail, whole);
}
