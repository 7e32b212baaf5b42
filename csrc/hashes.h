/* The hashes of other platforms' profiles; each has a file of its own, which names its author.
 *
 * Those over single numbers go on from a state, so that the text before the unit is hashed once an
 * experiment. Those over blocks of 64 bytes take text in parts, for the same reason. All are total:
 * every sequence of bytes has a hash. */
#ifndef ALLOT_HASHES_H
#define ALLOT_HASHES_H

#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

/* murmur3_x86_32: mixes whole words of 4 bytes into h; `size` is a multiple of 4. */
uint32_t allot_murmur3_32_words(uint32_t h, const uint8_t *text, size_t size);

/* The hash: h after the words that came before, the rest of the text, the size of it all. */
uint32_t allot_murmur3_32_end(uint32_t h, const uint8_t *text, size_t size, uint32_t whole);

static inline uint32_t allot_murmur3_32_mix(uint32_t k)
{
    return allot_left32(k * UINT32_C(0xcc9e2d51), 15) * UINT32_C(0x1b873593);
}

/* One word; and the end: the last 0 to 3 bytes as a number, and the size of the whole text. */
static inline uint32_t allot_murmur3_32_step(uint32_t h, uint32_t word)
{
    return allot_left32(h ^ allot_murmur3_32_mix(word), 13) * 5 + UINT32_C(0xe6546b64);
}

static inline uint32_t allot_murmur3_32_finish(uint32_t h, uint32_t tail, uint32_t whole)
{
    h ^= allot_murmur3_32_mix(tail) ^ whole;
    h = (h ^ h >> 16) * UINT32_C(0x85ebca6b);
    h = (h ^ h >> 13) * UINT32_C(0xc2b2ae35);
    return h ^ h >> 16;
}

#define ALLOT_FNV1A_START UINT32_C(0x811c9dc5)

static inline uint32_t allot_fnv1a_step(uint32_t h, uint32_t number)
{
    return (h ^ number) * UINT32_C(0x01000193);
}

static inline uint32_t allot_java31_step(uint32_t h, uint32_t number) { return h * 31 + number; }

/* A hash over blocks, of the text that came so far. */
typedef struct {
    uint32_t state[8];
    uint64_t size;     /* of the text so far */
    uint8_t block[64]; /* its last size % 64 bytes */
} allot_blocks;

/* Takes `count` blocks into the state. */
typedef void allot_take_blocks(uint32_t *state, const uint8_t *text, size_t count);

allot_take_blocks allot_md5_take, allot_sha1_take, allot_sha256_take;

extern const uint32_t allot_md5_start[4], allot_sha1_start[5], allot_sha256_start[8];

/* More text. */
void allot_blocks_take(allot_blocks *blocks, allot_take_blocks *take, const uint8_t *text,
                       size_t size);

/* The end of the text: one bit, zeros, and the size in bits, big-endian or not. */
void allot_blocks_end(allot_blocks *blocks, allot_take_blocks *take, int is_big);

/* The last two texts. */
typedef struct {
    const uint8_t *at;
    size_t size;
    const uint8_t *after;
    size_t after_size;
} allot_ending;

/* The state after the whole text, where the rest of it fits one block, as it mostly does; else 0.
 * The block that was begun is 0 behind what it holds. */
int allot_blocks_end_short(const allot_blocks *begun, allot_take_blocks *take, int is_big,
                           allot_ending ending, uint32_t *state);

#endif
