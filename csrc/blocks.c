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
