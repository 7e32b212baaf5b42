/* Text in parts, for the hashes over blocks of 64 bytes. */
#include <assert.h>
#include <string.h>

#include "bytes.h"
#include "hashes.h"

void allot_blocks_take(allot_blocks *blocks, allot_take_blocks *take, const uint8_t *text,
                       size_t size)
{
    assert(text != NULL || size == 0);
    const size_t held = blocks->size % 64;
    blocks->size += size;
    if (held + size < 64) {
        if (size) memcpy(blocks->block + held, text, size);
        return;
    }
    if (held) {
        memcpy(blocks->block + held, text, 64 - held);
        take(blocks->state, blocks->block, 1);
        text += 64 - held;
        size -= 64 - held;
    }
    take(blocks->state, text, size / 64);
    memcpy(blocks->block, text + size / 64 * 64, size % 64);
}

void allot_blocks_end(allot_blocks *blocks, allot_take_blocks *take, int is_big)
{
    size_t held = blocks->size % 64;
    blocks->block[held++] = 0x80;
    if (held > 56) {
        memset(blocks->block + held, 0, 64 - held);
        take(blocks->state, blocks->block, 1);
        held = 0;
    }
    memset(blocks->block + held, 0, 56 - held);
    if (is_big) {
        allot_store_big64(blocks->size * 8, blocks->block + 56);
    } else {
        allot_store_little64(blocks->size * 8, blocks->block + 56);
    }
    take(blocks->state, blocks->block, 1);
}

int allot_blocks_end_short(const allot_blocks *begun, allot_take_blocks *take, int is_big,
                           allot_ending ending, uint32_t *state)
{
    const size_t held = begun->size % 64, end = held + ending.size + ending.after_size;
    if (end > 55) return 0;
    uint8_t block[64];
    memcpy(block, begun->block, sizeof block);
    allot_copy_short(block + held, ending.at, ending.size);
    allot_copy_short(block + held + ending.size, ending.after, ending.after_size);
    block[end] = 0x80;
    const uint64_t bits = (begun->size + ending.size + ending.after_size) * 8;
    if (is_big) {
        allot_store_big64(bits, block + 56);
    } else {
        allot_store_little64(bits, block + 56);
    }
    memcpy(state, begun->state, sizeof begun->state);
    take(state, block, 1);
    return 1;
}
