/* The draws of a block of units. murmur3's 32 bits and FNV-1a are taken many units side by side:
 * the words of their texts are laid in columns, so that a processor with wide registers hashes as
 * many at once as it has lanes. Any other hash goes one unit after the other. */
#include <string.h>

#include "bytes.h"
#include "paths.h"
#include "recipe.h"
#include "text.h"

#define NOT_ASCII UINT32_C(0x80808080)

enum {
    LANES = 64,
    TEXT_WORDS = 20, /* of a text that is laid; longer ones go alone */
    TEXT_BYTES = 4 * TEXT_WORDS,
};

/* Texts side by side: word k of text i is words[k][i]; the last, of 0 to 3 bytes, is tails[i]. */
typedef struct {
    uint32_t words[TEXT_WORDS + 1][LANES];
    uint32_t tails[LANES], sizes[LANES], hashes[LANES];
} lanes;

/* Lays a text, behind which 4 bytes are free. Returns the OR of its words, which tells whether it
 * is ASCII. */
static inline uint32_t lay(lanes *room, size_t i, uint8_t *text, size_t size)
{
    uint32_t all = 0;
    memset(text + size, 0, 4);
    for (size_t k = 0; k <= size / 4; k++)
        all |= room->words[k][i] = allot_load_little32(text + 4 * k);
    room->tails[i] = allot_load_little32(text + size / 4 * 4);
    room->sizes[i] = (uint32_t)size;
    return all;
}

/* Lays the text of one unit: `rest`, the unit, `after`. */
static inline uint32_t lay_unit(lanes *room, size_t i, allot_text rest, allot_text unit,
                                allot_text after)
{
    uint8_t text[TEXT_BYTES + 4];
    allot_copy_short(text, rest.at, rest.size);
    allot_copy_short(text + rest.size, unit.at, unit.size);
    allot_copy_short(text + rest.size + unit.size, after.at, after.size);
    return lay(room, i, text, rest.size + unit.size + after.size);
}

/* `most` is the size of the longest text; `before` of what is in the state. */
ALLOT_INLINE void murmur3_lanes_body(lanes *room, size_t most, uint32_t state, uint32_t before)
{
    for (size_t i = 0; i < LANES; i++) room->hashes[i] = state;
    for (uint32_t k = 0; k < most / 4; k++) {
        for (size_t i = 0; i < LANES; i++) {
            const uint32_t next = allot_murmur3_32_step(room->hashes[i], room->words[k][i]);
            room->hashes[i] = k < room->sizes[i] / 4 ? next : room->hashes[i];
        }
    }
    for (size_t i = 0; i < LANES; i++)
        room->hashes[i] = allot_murmur3_32_finish(room->hashes[i], room->tails[i],
                                                  before + room->sizes[i]);
}
ALLOT_CLONES(murmur3_lanes, (lanes *room, size_t most, uint32_t state, uint32_t before),
             (room, most, state, before))

ALLOT_INLINE void fnv1a_lanes_body(lanes *room, size_t most, uint32_t state)
{
    for (size_t i = 0; i < LANES; i++) room->hashes[i] = state;
    for (uint32_t at = 0; at < most; at++) {
        const uint32_t *words = room->words[at / 4], bits = 8 * (at % 4);
        for (size_t i = 0; i < LANES; i++) {
            const uint32_t next = allot_fnv1a_step(room->hashes[i], words[i] >> bits & 0xff);
            room->hashes[i] = at < room->sizes[i] ? next : room->hashes[i];
        }
    }
}
ALLOT_CLONES(fnv1a_lanes, (lanes *room, size_t most, uint32_t state), (room, most, state))

/* The hashes of the decimal texts of the hashes: digit by digit, from the first that is not 0. */
ALLOT_INLINE void fnv1a_lanes_again_body(lanes *room)
{
    uint32_t rest[LANES], begun[LANES];
    for (size_t i = 0; i < LANES; i++) {
        rest[i] = room->hashes[i];
        begun[i] = 0;
        room->hashes[i] = ALLOT_FNV1A_START;
    }
#define DIGIT(power)                                                                               \
    for (size_t i = 0; i < LANES; i++) {                                                           \
        const uint32_t digit = rest[i] / UINT32_C(power);                                          \
        rest[i] -= digit * UINT32_C(power);                                                        \
        begun[i] |= digit;                                                                         \
        const uint32_t next = allot_fnv1a_step(room->hashes[i], '0' + digit);                      \
        room->hashes[i] = begun[i] || UINT32_C(power) == 1 ? next : room->hashes[i];               \
    }
    DIGIT(1000000000)
    DIGIT(100000000)
    DIGIT(10000000)
    DIGIT(1000000)
    DIGIT(100000)
    DIGIT(10000)
    DIGIT(1000)
    DIGIT(100)
    DIGIT(10)
    DIGIT(1)
#undef DIGIT
}
ALLOT_CLONES(fnv1a_lanes_again, (lanes *room), (room))

static inline uint64_t draw_of(const allot_recipe *recipe, uint32_t hash)
{
    if (recipe->slice == ALLOT_SLICE_ABSOLUTE && hash >> 31) hash = 0 - hash;
    hash >>= recipe->shift;
    if (recipe->bucketing == ALLOT_BUCKETING_SCALE) return hash;
    if (recipe->bucketing == ALLOT_BUCKETING_DIVIDE) return hash / 100;
    return recipe->buckets >> 32 ? hash : hash % (uint32_t)recipe->buckets;
}

/* How much of what stands before the unit is in the recipe's state. */
static size_t size_in_state(const allot_recipe *recipe)
{
    if (recipe->hash != ALLOT_HASH_MURMUR3_32) return recipe->before_size;
    return recipe->before_size & ~(size_t)3;
}

static void hash_lanes(const allot_recipe *recipe, lanes *room, size_t most)
{
    if (recipe->hash == ALLOT_HASH_MURMUR3_32) {
        murmur3_lanes(room, most, recipe->state, (uint32_t)size_in_state(recipe));
        return;
    }
    fnv1a_lanes(room, most, recipe->state);
    if (recipe->hash == ALLOT_HASH_FNV1A_TWICE) fnv1a_lanes_again(room);
}

static void draw_lanes(const allot_recipe *recipe, const allot_text *texts, const uint8_t *ok,
                       size_t n, lanes *room, uint64_t *out)
{
    const size_t known = size_in_state(recipe);
    const allot_text rest = {recipe->before + known, recipe->before_size - known};
    const allot_text after = {recipe->after, recipe->after_size};
    const uint32_t refused = recipe->encoding == ALLOT_UTF8 ? 0 : NOT_ASCII;
    bool laid[LANES] = {false};
    size_t most = 0;
    memset(room->sizes, 0, sizeof room->sizes);
    for (size_t i = 0; i < n; i++) {
        const size_t size = rest.size + texts[i].size + after.size;
        if (!ok[i] || size > TEXT_BYTES) continue;
        laid[i] = !(lay_unit(room, i, rest, texts[i], after) & refused);
        most = size > most ? size : most;
    }
    hash_lanes(recipe, room, most);
    for (size_t i = 0; i < n; i++) {
        out[i] = 0;
        if (laid[i]) {
            out[i] = draw_of(recipe, room->hashes[i]);
        } else if (ok[i]) {
            out[i] = allot_recipe_draw(recipe, texts[i].at, texts[i].size);
        }
    }
}

/* Whether the hash is one of those above, of a text whose bytes are what is hashed. */
static bool is_laid(const allot_recipe *recipe)
{
    if (recipe->hash == ALLOT_HASH_MURMUR3_32) return recipe->encoding == ALLOT_UTF8;
    return (recipe->hash == ALLOT_HASH_FNV1A || recipe->hash == ALLOT_HASH_FNV1A_TWICE) &&
           recipe->encoding <= ALLOT_UTF32;
}

void allot_recipe_draws(const allot_recipe *recipe, const allot_text *texts, const uint8_t *ok,
                        int64_t n, uint64_t *out)
{
    if (!is_laid(recipe)) {
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
