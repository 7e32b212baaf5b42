/* The draws of a block of units. murmur3's 32 bits are taken many units side by side: the words of
 * their texts are laid in columns, so that a processor with wide registers hashes as many at once
 * as it has lanes. Any other hash goes one unit after the other. */
#include <string.h>

#include "bytes.h"
#include "clones.h"
#include "recipe.h"

enum {
    LANES = 64,
    TEXT_WORDS = 20, /* of a text that is laid; longer ones go alone */
    TEXT_BYTES = 4 * TEXT_WORDS,
};

/* Texts side by side: word k of text i is words[k][i], and its last bytes are tails[i]. */
typedef struct {
    uint32_t words[TEXT_WORDS][LANES];
    uint32_t tails[LANES], sizes[LANES], hashes[LANES];
} lanes;

/* Copies a short text, by copies of fixed sizes that overlap. */
static inline void copy(uint8_t *to, const uint8_t *from, size_t size)
{
    if (size >= 16) {
        for (size_t i = 0; i + 16 < size; i += 16) memcpy(to + i, from + i, 16);
        memcpy(to + size - 16, from + size - 16, 16);
    } else if (size >= 8) {
        memcpy(to, from, 8);
        memcpy(to + size - 8, from + size - 8, 8);
    } else if (size >= 4) {
        memcpy(to, from, 4);
        memcpy(to + size - 4, from + size - 4, 4);
    } else {
        for (size_t i = 0; i < size; i++) to[i] = from[i];
    }
}

/* Lays the text of one unit: `rest`, the unit, `after`. Returns how many words it has. */
static inline size_t lay(lanes *room, size_t i, allot_text rest, allot_text unit, allot_text after)
{
    uint8_t text[TEXT_BYTES + 4];
    copy(text, rest.at, rest.size);
    copy(text + rest.size, unit.at, unit.size);
    copy(text + rest.size + unit.size, after.at, after.size);
    const size_t size = rest.size + unit.size + after.size, count = size / 4;
    memset(text + size, 0, 4);
    for (size_t k = 0; k < count; k++) room->words[k][i] = allot_load_little32(text + 4 * k);
    room->tails[i] = allot_load_little32(text + 4 * count);
    room->sizes[i] = (uint32_t)size;
    return count;
}

ALLOT_CLONES
static void hash_lanes(lanes *room, size_t most, uint32_t state, uint32_t before)
{
    for (size_t i = 0; i < LANES; i++) room->hashes[i] = state;
    for (uint32_t k = 0; k < most; k++) {
        for (size_t i = 0; i < LANES; i++) {
            const uint32_t next = allot_murmur3_32_step(room->hashes[i], room->words[k][i]);
            room->hashes[i] = k < room->sizes[i] / 4 ? next : room->hashes[i];
        }
    }
    for (size_t i = 0; i < LANES; i++)
        room->hashes[i] = allot_murmur3_32_finish(room->hashes[i], room->tails[i],
                                                  before + room->sizes[i]);
}

static inline uint64_t draw_of(const allot_recipe *recipe, uint32_t hash)
{
    if (recipe->slice == ALLOT_SLICE_ABSOLUTE && hash >> 31) hash = 0 - hash;
    hash >>= recipe->shift;
    if (recipe->bucketing == ALLOT_BUCKETING_SCALE) return hash;
    if (recipe->bucketing == ALLOT_BUCKETING_DIVIDE) return hash / 100;
    return recipe->buckets >> 32 ? hash : hash % (uint32_t)recipe->buckets;
}

static void draw_lanes(const allot_recipe *recipe, const allot_text *texts, const uint8_t *ok,
                       size_t n, lanes *room, uint64_t *out)
{
    const size_t words = recipe->before_size & ~(size_t)3;
    const allot_text rest = {recipe->before + words, recipe->before_size - words};
    const allot_text after = {recipe->after, recipe->after_size};
    size_t most = 0;
    memset(room->sizes, 0, sizeof room->sizes);
    for (size_t i = 0; i < n; i++) {
        if (!ok[i] || rest.size + texts[i].size + after.size > TEXT_BYTES) continue;
        const size_t count = lay(room, i, rest, texts[i], after);
        most = count > most ? count : most;
    }
    hash_lanes(room, most, recipe->state, (uint32_t)words);
    for (size_t i = 0; i < n; i++) {
        out[i] = 0;
        if (room->sizes[i]) {
            out[i] = draw_of(recipe, room->hashes[i]);
        } else if (ok[i]) {
            out[i] = allot_recipe_draw(recipe, texts[i].at, texts[i].size);
        }
    }
}

void allot_recipe_draws(const allot_recipe *recipe, const allot_text *texts, const uint8_t *ok,
                        int64_t n, uint64_t *out)
{
    if (recipe->hash != ALLOT_HASH_MURMUR3_32 || recipe->encoding != ALLOT_UTF8) {
        for (int64_t i = 0; i < n; i++)
            out[i] = ok[i] ? allot_recipe_draw(recipe, texts[i].at, texts[i].size) : 0;
        return;
    }
    lanes room = {0};
    for (int64_t i = 0; i < n; i += LANES) {
        const size_t some = n - i < LANES ? (size_t)(n - i) : LANES;
        draw_lanes(recipe, texts + i, ok + i, some, &room, out + i);
    }
}
