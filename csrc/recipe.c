#include "recipe.h"

#include <assert.h>

#include "allot_limits.h"
#include "bytes.h"
#include "draw.h"
#include "text.h"

enum {
    MESSAGE_BYTES = 1 + ALLOT_CBOR_BYTES * 2 + ALLOT_AFFIX_BYTES_MAX * 2 + ALLOT_UNIT_KEY_BYTES_MAX
};

/* ---- Hashes over numbers ------------------------------------------------------------------- */

typedef uint32_t number_step(uint32_t h, uint32_t number);

/* One code point of well-formed UTF-8 at *at, which moves on. */
static inline uint32_t next_point(const uint8_t **at)
{
    const uint8_t *p = *at;
    const uint32_t first = p[0];
    if (first < 0x80) {
        *at = p + 1;
        return first;
    }
    if (first < 0xe0) {
        *at = p + 2;
        return (first & 0x1f) << 6 | (p[1] & 0x3f);
    }
    if (first < 0xf0) {
        *at = p + 3;
        return (first & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
    }
    *at = p + 4;
    return (first & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 | (uint32_t)(p[2] & 0x3f) << 6 |
           (p[3] & 0x3f);
}

static inline __attribute__((always_inline)) uint32_t step_over(number_step *step, uint32_t h,
                                                                uint8_t encoding,
                                                                const uint8_t *text, size_t size)
{
    const uint8_t *end = text + size;
    if (encoding == ALLOT_UTF8) {
        for (; text != end; text++) h = step(h, *text);
        return h;
    }
    while (text != end) {
        const uint32_t point = next_point(&text);
        if (point < 0x10000 || encoding == ALLOT_UTF32) {
            h = step(h, point);
        } else {
            h = step(h, 0xd800 + ((point - 0x10000) >> 10));
            h = step(h, 0xdc00 + ((point - 0x10000) & 0x3ff));
        }
    }
    return h;
}

static inline uint32_t fnv1a(const allot_recipe *recipe, uint32_t h, const uint8_t *text,
                             size_t size)
{
    return step_over(allot_fnv1a_step, h, recipe->encoding, text, size);
}

static inline uint32_t java31(const allot_recipe *recipe, uint32_t h, const uint8_t *text,
                              size_t size)
{
    return step_over(allot_java31_step, h, recipe->encoding, text, size);
}

static uint32_t fnv1a_of_decimal(uint32_t number)
{
    uint8_t digits[ALLOT_DIGITS_BYTES];
    const size_t size = allot_decimal_ending(number, digits + sizeof digits);
    uint32_t h = ALLOT_FNV1A_START;
    for (const uint8_t *at = digits + sizeof digits - size; at != digits + sizeof digits; at++)
        h = allot_fnv1a_step(h, *at);
    return h;
}

/* ---- Hashes over a whole text -------------------------------------------------------------- */

/* Writes the head of a CBOR text of `size` bytes (RFC 8949, 3.1); returns how many bytes it has. */
static size_t write_cbor_head(size_t size, uint8_t *out)
{
    assert(size < 1 << 16);
    if (size < 24) {
        out[0] = (uint8_t)(0x60 | size);
        return 1;
    }
    if (size < 1 << 8) {
        out[0] = 0x78;
        out[1] = (uint8_t)size;
        return 2;
    }
    out[0] = 0x79;
    out[1] = (uint8_t)(size >> 8);
    out[2] = (uint8_t)size;
    return 3;
}

static size_t append(uint8_t *message, size_t at, const uint8_t *text, size_t size)
{
    if (size) memcpy(message + at, text, size);
    return at + size;
}

/* Writes the text from byte `from` of `before` on; returns its size. */
static size_t write_message(const allot_recipe *recipe, size_t from, const uint8_t *unit,
                            size_t size, uint8_t *message)
{
    size_t at = 0;
    if (recipe->encoding == ALLOT_CBOR)
        at = write_cbor_head(recipe->before_size + size + recipe->after_size, message);
    if (recipe->encoding == ALLOT_CBOR_PAIR) {
        message[at++] = 0x82; /* an array of two */
        at += write_cbor_head(recipe->before_size, message + at);
    }
    at = append(message, at, recipe->before + from, recipe->before_size - from);
    if (recipe->encoding == ALLOT_CBOR_PAIR) at += write_cbor_head(size, message + at);
    at = append(message, at, unit, size);
    return append(message, at, recipe->after, recipe->after_size);
}

/* How much of `before` is in the state of murmur3's 32 bits: whole words, where nothing stands in
 * front of them. */
static inline size_t words_before(const allot_recipe *recipe)
{
    return recipe->encoding == ALLOT_UTF8 ? recipe->before_size & ~(size_t)3 : 0;
}

static inline uint32_t murmur3_32(const allot_recipe *recipe, const uint8_t *unit, size_t size)
{
    uint8_t message[MESSAGE_BYTES];
    const size_t from = words_before(recipe);
    const size_t rest = write_message(recipe, from, unit, size, message);
    return allot_murmur3_32_end(recipe->state, message, rest, (uint32_t)(from + rest));
}

static uint64_t murmur3_128(const allot_recipe *recipe, const uint8_t *unit, size_t size)
{
    uint8_t message[MESSAGE_BYTES];
    const size_t rest = write_message(recipe, 0, unit, size, message);
    return allot_digest_text(message, rest, recipe->seed).h1;
}

/* ---- Hashes over blocks -------------------------------------------------------------------- */

typedef struct {
    allot_take_blocks *take;
    const uint32_t *start;
    size_t words;
    int is_big;
} block_hash;

static inline block_hash block_hash_of(uint8_t hash)
{
    if (hash == ALLOT_HASH_MD5) return (block_hash){allot_md5_take, allot_md5_start, 4, 0};
    if (hash == ALLOT_HASH_SHA1) return (block_hash){allot_sha1_take, allot_sha1_start, 5, 1};
    return (block_hash){allot_sha256_take, allot_sha256_start, 8, 1};
}

/* The state after the text, written `times` times. */
static void end_in_many(const allot_recipe *recipe, block_hash hash, const uint8_t *unit,
                        size_t size, size_t times, uint32_t *state)
{
    allot_blocks blocks = recipe->blocks;
    for (size_t i = 0; i < times; i++) {
        if (i) allot_blocks_take(&blocks, hash.take, recipe->before, recipe->before_size);
        allot_blocks_take(&blocks, hash.take, unit, size);
        allot_blocks_take(&blocks, hash.take, recipe->after, recipe->after_size);
    }
    allot_blocks_end(&blocks, hash.take, hash.is_big);
    memcpy(state, blocks.state, sizeof blocks.state);
}

/* The first sixteen bytes of the digest of the text, written `times` times. */
static void digest_of(const allot_recipe *recipe, const uint8_t *unit, size_t size, size_t times,
                      uint8_t *digest)
{
    const block_hash hash = block_hash_of(recipe->hash);
    uint32_t state[8];
    const allot_ending ending = {unit, size, recipe->after, recipe->after_size};
    const bool is_ended = times == 1 && allot_blocks_end_short(&recipe->blocks, hash.take,
                                                               hash.is_big, ending, state);
    if (!is_ended) end_in_many(recipe, hash, unit, size, times, state);
    for (size_t i = 0; i < 4; i++) {
        if (hash.is_big) {
            allot_store_big32(state[i], digest + 4 * i);
        } else {
            allot_store_little32(state[i], digest + 4 * i);
        }
    }
}

static inline uint32_t absolute(uint32_t number) { return number >> 31 ? 0 - number : number; }

static uint64_t big64(const uint8_t *digest)
{
    return (uint64_t)allot_load_big32(digest) << 32 | allot_load_big32(digest + 4);
}

static uint64_t slice_of(uint8_t slice, const uint8_t *digest)
{
    switch ((allot_slice)slice) {
    case ALLOT_SLICE_LITTLE_32: return allot_load_little32(digest);
    case ALLOT_SLICE_LITTLE_ABSOLUTE: return absolute(allot_load_little32(digest));
    case ALLOT_SLICE_BIG_28: return allot_load_big32(digest) >> 4;
    case ALLOT_SLICE_BIG_60: return big64(digest) >> 4;
    case ALLOT_SLICE_BIG_64: return big64(digest);
    default: return allot_load_big32(digest);
    }
}

/* Flagsmith's number, 0 to 9,997: 128 bits modulo 9,999, once more of a longer text where that is
 * the last. Each time one text in 9,999 goes on. */
static uint64_t rehashed(const allot_recipe *recipe, const uint8_t *unit, size_t size)
{
    for (size_t times = 1;; times++) {
        uint8_t digest[16];
        digest_of(recipe, unit, size, times, digest);
        const allot_u128 number = (allot_u128)big64(digest) << 64 | big64(digest + 8);
        const uint64_t rest = (uint64_t)(number % 9999);
        if (rest < 9998) return rest;
    }
}

/* ---- The recipe ---------------------------------------------------------------------------- */

const char *allot_recipe_check(const allot_recipe *recipe)
{
    if (recipe->hash == ALLOT_HASH_NATIVE || recipe->hash >= ALLOT_HASHES ||
        recipe->encoding >= ALLOT_ENCODINGS || recipe->slice >= ALLOT_SLICES ||
        recipe->bucketing >= ALLOT_BUCKETINGS)
        return "a recipe has a hash, an encoding, a slice and a bucketing that are there";
    if (recipe->before_size > ALLOT_AFFIX_BYTES_MAX || recipe->after_size > ALLOT_AFFIX_BYTES_MAX)
        return "a salt is too long for its profile";
    if (recipe->buckets == 0 || recipe->bits == 0 || recipe->bits > 64)
        return "a recipe has buckets, and a number of 1 to 64 bits";
    if (recipe->bucketing == ALLOT_BUCKETING_SCALE && recipe->bits < 64 &&
        recipe->buckets > UINT64_C(1) << recipe->bits)
        return "a number is scaled to fewer buckets than it has values";
    const bool is_numbers = recipe->hash == ALLOT_HASH_FNV1A ||
                            recipe->hash == ALLOT_HASH_FNV1A_TWICE ||
                            recipe->hash == ALLOT_HASH_JAVA31;
    if ((recipe->encoding == ALLOT_UTF16 || recipe->encoding == ALLOT_UTF32) && !is_numbers)
        return "only a hash over numbers takes code units";
    if (recipe->encoding == ALLOT_CBOR_PAIR && recipe->after_size)
        return "a pair has nothing after the unit";
    if ((recipe->bucketing == ALLOT_BUCKETING_REHASH) !=
        (recipe->hash == ALLOT_HASH_MD5 && recipe->slice == ALLOT_SLICE_BIG_128))
        return "only all of an MD5 is rehashed";
    return NULL;
}

void allot_recipe_begin(allot_recipe *recipe)
{
    assert(allot_recipe_check(recipe) == NULL);
    const uint8_t *before = recipe->before;
    const size_t size = recipe->before_size;
    switch ((allot_hash)recipe->hash) {
    case ALLOT_HASH_MURMUR3_32:
        recipe->state = allot_murmur3_32_words(recipe->seed, before, words_before(recipe));
        break;
    case ALLOT_HASH_FNV1A:
    case ALLOT_HASH_FNV1A_TWICE:
        recipe->state = fnv1a(recipe, ALLOT_FNV1A_START, before, size);
        break;
    case ALLOT_HASH_JAVA31: recipe->state = java31(recipe, 0, before, size); break;
    case ALLOT_HASH_MD5:
    case ALLOT_HASH_SHA1:
    case ALLOT_HASH_SHA256: {
        const block_hash hash = block_hash_of(recipe->hash);
        recipe->blocks = (allot_blocks){0};
        memcpy(recipe->blocks.state, hash.start, hash.words * sizeof *hash.start);
        allot_blocks_take(&recipe->blocks, hash.take, before, size);
        const size_t held = recipe->blocks.size % 64;
        memset(recipe->blocks.block + held, 0, sizeof recipe->blocks.block - held);
        break;
    }
    default: break;
    }
}

static inline uint64_t number_of(const allot_recipe *recipe, const uint8_t *unit, size_t size)
{
    uint32_t h;
    switch ((allot_hash)recipe->hash) {
    case ALLOT_HASH_MURMUR3_32: h = murmur3_32(recipe, unit, size); break;
    case ALLOT_HASH_MURMUR3_128: return murmur3_128(recipe, unit, size);
    case ALLOT_HASH_FNV1A:
    case ALLOT_HASH_FNV1A_TWICE:
        h = fnv1a(recipe, recipe->state, unit, size);
        h = fnv1a(recipe, h, recipe->after, recipe->after_size);
        if (recipe->hash == ALLOT_HASH_FNV1A_TWICE) h = fnv1a_of_decimal(h);
        break;
    case ALLOT_HASH_JAVA31:
        h = java31(recipe, recipe->state, unit, size);
        h = java31(recipe, h, recipe->after, recipe->after_size) ^ recipe->seed;
        break;
    default: {
        uint8_t digest[16];
        digest_of(recipe, unit, size, 1, digest);
        return slice_of(recipe->slice, digest);
    }
    }
    return recipe->slice == ALLOT_SLICE_ABSOLUTE ? absolute(h) : h;
}

uint64_t allot_recipe_draw(const allot_recipe *recipe, const uint8_t *unit, size_t size)
{
    assert(size <= ALLOT_UNIT_KEY_BYTES_MAX);
    if (recipe->bucketing == ALLOT_BUCKETING_REHASH) return rehashed(recipe, unit, size);
    const uint64_t number = number_of(recipe, unit, size) >> recipe->shift;
    if (recipe->bucketing == ALLOT_BUCKETING_MODULO) return number % recipe->buckets;
    return recipe->bucketing == ALLOT_BUCKETING_DIVIDE ? number / 100 : number;
}

uint64_t allot_recipe_bucket(const allot_recipe *recipe, uint64_t draw)
{
    if (recipe->bucketing != ALLOT_BUCKETING_SCALE) return draw;
    return (uint64_t)((allot_u128)draw * recipe->buckets >> recipe->bits);
}

uint64_t allot_recipe_last(const allot_recipe *recipe, uint64_t bound)
{
    assert(bound >= 1 && bound <= recipe->buckets);
    if (bound == recipe->buckets) return UINT64_MAX;
    if (recipe->bucketing != ALLOT_BUCKETING_SCALE) return bound - 1;
    const allot_u128 edge = (allot_u128)bound << recipe->bits;
    return (uint64_t)((edge + recipe->buckets - 1) / recipe->buckets - 1);
}
