#include "digests.h"

#include <assert.h>
#include <string.h>

#include "clones.h"
#include "murmur3.h"
#include "allot_limits.h"
#include "text.h"

enum { LANE_BYTES = 16 * ALLOT_LANE_BLOCKS + 15 };

#define NOT_ASCII UINT64_C(0x8080808080808080)

/* One key a turn, all turns alike: a key with fewer blocks than the longest of the group goes
 * through the others without taking what they made. */
static inline __attribute__((always_inline)) void hash_lanes(const allot_lanes *lanes, int64_t n,
                                                             uint64_t blocks, uint64_t *h1,
                                                             uint64_t *h2)
{
    for (int64_t i = 0; i < n; i++) {
        const uint64_t size = lanes->sizes[i];
        allot_digest h = {ALLOT_SEED_UNIT, ALLOT_SEED_UNIT};
        for (uint64_t k = 0; k < blocks; k++) {
            const allot_digest next =
                allot_murmur3_block(h, lanes->words[2 * k][i], lanes->words[2 * k + 1][i]);
            const bool taken = k < size >> 4;
            h.h1 = taken ? next.h1 : h.h1;
            h.h2 = taken ? next.h2 : h.h2;
        }
        h = allot_murmur3_end(h, lanes->tails[0][i], lanes->tails[1][i], size);
        h1[i] = h.h1;
        h2[i] = h.h2;
    }
}

#define HASH_LANES(blocks)                                                                         \
    ALLOT_WIDE static void hash_lanes_##blocks(const allot_lanes *lanes, int64_t n,                \
                                               uint64_t *restrict h1, uint64_t *restrict h2)       \
    {                                                                                              \
        hash_lanes(lanes, n, blocks, h1, h2);                                                      \
    }
HASH_LANES(0)
HASH_LANES(1)
HASH_LANES(2)
HASH_LANES(3)
HASH_LANES(4)

typedef void hash_lanes_of(const allot_lanes *, int64_t, uint64_t *, uint64_t *);
static hash_lanes_of *const HASH_LANES_OF[ALLOT_LANE_BLOCKS + 1] = {
    hash_lanes_0, hash_lanes_1, hash_lanes_2, hash_lanes_3, hash_lanes_4,
};

static inline uint64_t load64(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

static inline uint64_t load_4_to_8(const uint8_t *at, size_t size)
{
    uint32_t low, high;
    memcpy(&low, at, 4);
    memcpy(&high, at + size - 4, 4);
    return low | (uint64_t)high << (8 * (size - 4));
}

/* The 1 to 8 bytes at `at`, by loads that overlap. */
static inline uint64_t load_up_to_8(const uint8_t *at, size_t size)
{
    if (size == 8) return load64(at);
    if (size >= 4) return load_4_to_8(at, size);
    return at[0] | (uint64_t)at[size / 2] << (8 * (size / 2)) |
           (uint64_t)at[size - 1] << (8 * (size - 1));
}

/* Lays one key of at most LANE_BYTES into lane i; returns the OR of all its words, which tells
 * whether it is ASCII. */
static inline uint64_t lay(allot_lanes *lanes, int64_t i, allot_text text)
{
    const uint8_t *at = text.at;
    const size_t blocks = text.size >> 4, left = text.size & 15;
    uint64_t all = 0, tail1 = 0, tail2 = 0;
    for (size_t k = 0; k < blocks; k++, at += 16) {
        const uint64_t one = load64(at), two = load64(at + 8);
        lanes->words[2 * k][i] = one;
        lanes->words[2 * k + 1][i] = two;
        all |= one | two;
    }
    if (left > 0) tail1 = load_up_to_8(at, left < 8 ? left : 8);
    if (left > 8) tail2 = load_up_to_8(at + 8, left - 8);
    lanes->tails[0][i] = tail1;
    lanes->tails[1][i] = tail2;
    lanes->sizes[i] = text.size;
    return all | tail1 | tail2;
}

/* Lays block k of every key; returns the OR of all its words. */
static inline uint64_t lay_blocks(const allot_text *texts, int64_t n, size_t k, allot_lanes *lanes)
{
    uint64_t all = 0, *one = lanes->words[2 * k], *two = lanes->words[2 * k + 1];
    for (int64_t i = 0; i < n; i++) {
        one[i] = load64(texts[i].at + 16 * k);
        two[i] = load64(texts[i].at + 16 * k + 8);
        all |= one[i] | two[i];
    }
    return all;
}

/* Lays the `size` bytes at `from` of every key, at most 8; returns the OR of them all. */
static inline uint64_t lay_tails(const allot_text *texts, int64_t n, size_t from, size_t size,
                                 uint64_t *tails)
{
    uint64_t all = 0;
    if (size == 0) {
        memset(tails, 0, (size_t)n * sizeof *tails);
    } else if (size < 4) {
        for (int64_t i = 0; i < n; i++) all |= tails[i] = load_up_to_8(texts[i].at + from, size);
    } else {
        for (int64_t i = 0; i < n; i++) all |= tails[i] = load_4_to_8(texts[i].at + from, size);
    }
    return all;
}

/* Lays a group of keys of one size, as random ids and hashes are, a column at a time: no turn of a
 * loop has a branch. Returns the OR of all their words. */
static uint64_t lay_alike(allot_lanes *lanes, const allot_text *texts, int64_t n, size_t size)
{
    const size_t blocks = size >> 4, rest = size & 15, from = 16 * blocks;
    uint64_t all = 0;
    for (size_t k = 0; k < blocks; k++) all |= lay_blocks(texts, n, k, lanes);
    all |= lay_tails(texts, n, from, rest < 8 ? rest : 8, lanes->tails[0]);
    all |= lay_tails(texts, n, from + 8, rest < 8 ? 0 : rest - 8, lanes->tails[1]);
    for (int64_t i = 0; i < n; i++) lanes->sizes[i] = size;
    return all;
}

static bool are_alike(const allot_text *texts, int64_t n)
{
    size_t differences = 0;
    for (int64_t i = 0; i < n; i++) differences |= texts[i].size ^ texts[0].size;
    return differences == 0 && texts[0].size - 1 < LANE_BYTES;
}

static inline uint8_t is_key(allot_text text)
{
    return text.size - 1 < ALLOT_UNIT_KEY_BYTES_MAX && allot_utf8_valid(text.at, text.size);
}

void allot_check_texts(const allot_text *texts, int64_t n, uint8_t *ok)
{
    for (int64_t i = 0; i < n; i++) ok[i] = is_key(texts[i]);
}

static inline void digest_one(allot_text text, uint64_t *h1, uint64_t *h2, uint8_t *ok)
{
    allot_digest digest = {0, 0};
    *ok = is_key(text);
    if (*ok) digest = allot_digest_text(text.at, text.size, ALLOT_SEED_UNIT);
    *h1 = digest.h1;
    *h2 = digest.h2;
}

/* One group. Keys that are bad, long or not ASCII are seen to one by one afterwards. */
static void digest_group(const allot_text *texts, int64_t n, allot_lanes *lanes, uint64_t *h1,
                         uint64_t *h2, uint8_t *ok)
{
    static const allot_text nothing = {(const uint8_t *)"", 0};
    if (are_alike(texts, n) && !(lay_alike(lanes, texts, n, texts[0].size) & NOT_ASCII)) {
        HASH_LANES_OF[texts[0].size >> 4](lanes, n, h1, h2);
        memset(ok, 1, (size_t)n);
        return;
    }
    size_t blocks = 0;
    bool plain = true;
    for (int64_t i = 0; i < n; i++) {
        const bool fits = texts[i].size - 1 < LANE_BYTES;
        const uint64_t all = lay(lanes, i, fits ? texts[i] : nothing);
        ok[i] = fits && !(all & NOT_ASCII);
        plain &= ok[i];
        blocks = lanes->sizes[i] >> 4 > blocks ? lanes->sizes[i] >> 4 : blocks;
    }
    HASH_LANES_OF[blocks](lanes, n, h1, h2);
    for (int64_t i = 0; !plain && i < n; i++) {
        if (!ok[i]) digest_one(texts[i], h1 + i, h2 + i, ok + i);
    }
}

void allot_digest_texts(const allot_text *texts, int64_t n, allot_lanes *lanes, uint64_t *h1,
                        uint64_t *h2, uint8_t *ok)
{
    if (!allot_is_wide()) {
        for (int64_t i = 0; i < n; i++) digest_one(texts[i], h1 + i, h2 + i, ok + i);
        return;
    }
    for (int64_t i = 0; i < n; i += ALLOT_LANES) {
        const int64_t lot = n - i < ALLOT_LANES ? n - i : ALLOT_LANES;
        /* The bytes of the next group arrive while this one is hashed. */
        for (int64_t k = i + lot; k < n && k < i + lot + ALLOT_LANES; k++)
            __builtin_prefetch(texts[k].at);
        digest_group(texts + i, lot, lanes, h1 + i, h2 + i, ok + i);
    }
}
