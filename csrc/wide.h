/* What the paths with wide registers have in common. avx2.c and avx512.c include it, once they have
 * said: LANES, how many numbers a register has; WIDE, how a function is compiled; SPAN, how many
 * bytes of each text `load` takes, a multiple of 16. */
#include "digests.h"
#include "paths.h"
#include "text.h"
#include "allot_limits.h"

#define STEP ALLOT_INLINE WIDE
typedef uint64_t wide __attribute__((vector_size(8 * LANES)));
typedef int64_t wide_mask __attribute__((vector_size(8 * LANES)));

typedef struct {
    wide h1, h2;
} wide_digest;

#define ALLOT_WORD wide
#define ALLOT_STATE wide_digest
#define ALLOT_STEP STEP
#include "murmur3.h"

/* The sizes of LANES texts. */
STEP wide sizes_of(const allot_text *texts);

/* Loads the bytes [from, from + SPAN) of each text, zeros behind its end, which may be sooner: word
 * k of text i becomes words[k][i]. No byte outside of a text is read. */
STEP void load(const allot_text *texts, const uint64_t *sizes, const bool alike, uint64_t from,
               wide *words);

/* Whether the highest bit of any byte is set; whether any number is not 0. */
STEP bool has_high_bits(wide words);
STEP bool has_any(wide_mask mask);

/* By lane: `one` where the mask is set, else `other`. */
STEP wide choose(wide_mask mask, wide one, wide other);

/* The digests of LANES texts, of which the longest has `most` bytes; *all becomes the OR of all
 * their words. If all are of one size, they are `alike`. */
STEP wide_digest digest_lanes(const allot_text *texts, const uint64_t *sizes, wide own,
                                uint64_t most, const bool alike, wide *all)
{
    const wide none = {0};
    const wide_mask blocks = (wide_mask)(own >> 4);
    wide_digest h = {none + ALLOT_SEED_UNIT, none + ALLOT_SEED_UNIT};
    wide tail1 = none, tail2 = none, words[SPAN / 8];
    for (uint64_t from = 0; from < most; from += SPAN) {
        load(texts, sizes, alike, from, words);
#pragma GCC unroll 4
        for (uint64_t k = 0; k < SPAN / 8; k += 2) {
            const uint64_t at = from + 8 * k;
            if (at >= most) break;
            *all |= words[k] | words[k + 1];
            if (alike && at + 16 > most) {
                tail1 = words[k];
                tail2 = words[k + 1];
                break;
            }
            const wide_digest next = allot_murmur3_block(h, words[k], words[k + 1]);
            const wide_mask before = (wide_mask)(none + at / 16);
            h.h1 = alike ? next.h1 : choose(blocks > before, next.h1, h.h1);
            h.h2 = alike ? next.h2 : choose(blocks > before, next.h2, h.h2);
            tail1 = alike ? tail1 : choose(blocks == before, words[k], tail1);
            tail2 = alike ? tail2 : choose(blocks == before, words[k + 1], tail2);
        }
    }
    return allot_murmur3_end(h, tail1, tail2, own);
}

/* Those that are no keys, or not ASCII, are seen to one by one. */
static void mend(const allot_text *texts, const uint64_t *sizes, uint64_t *h1, uint64_t *h2,
                 uint8_t *ok)
{
    for (int i = 0; i < LANES; i++) {
        ok[i] = sizes[i] > 0 && allot_utf8_valid(texts[i].at, sizes[i]);
        if (!ok[i]) h1[i] = h2[i] = 0;
    }
}

/* LANES texts to digests; see allot_digest_texts. */
STEP void digest_group(const allot_text *texts, uint64_t *h1, uint64_t *h2, uint8_t *ok)
{
    const wide given = sizes_of(texts), none = {0};
    const wide own = choose((wide_mask)given > ALLOT_UNIT_KEY_BYTES_MAX, none, given);
    uint64_t sizes[LANES], most;
    wide all = none;
    memcpy(sizes, &own, sizeof sizes);
    most = sizes[0];
    wide_digest h;
    if (!has_any(own != most)) {
        h = digest_lanes(texts, sizes, own, most, true, &all);
    } else {
        for (int k = 1; k < LANES; k++) most = sizes[k] > most ? sizes[k] : most;
        h = digest_lanes(texts, sizes, own, most, false, &all);
    }
    memcpy(h1, &h.h1, sizeof h.h1);
    memcpy(h2, &h.h2, sizeof h.h2);
    memset(ok, 1, LANES);
    if (has_high_bits(all) || has_any(own == 0)) mend(texts, sizes, h1, h2, ok);
}

/* The product of the lower halves; x moved by as many bits, 0 by 64. */
STEP wide times(wide one, wide other);
STEP wide up(wide x, wide bits);
STEP wide down(wide x, wide bits);

/* The sum of each number's bytes. */
STEP wide sum_bytes(wide x);

/* The eight digits of numbers below 10^8, as allot_digits_of. */
STEP wide digits_of(wide x)
{
    typedef uint32_t halves __attribute__((vector_size(8 * LANES)));
    typedef uint16_t quarters __attribute__((vector_size(8 * LANES)));
    const wide none = {0};
    const wide above = times(x, none + 109951163) >> 40;
    const halves half = (halves)(above | (x - times(above, none + 10000)) << 32);
    const halves half_above = half * 10486 >> 20;
    const quarters quarter = (quarters)(half_above | (half - half_above * 100) << 16);
    const quarters quarter_above = quarter * 103 >> 10;
    return (wide)(quarter_above | (quarter - quarter_above * 10) << 8);
}

/* The digests of the decimal texts of numbers below 10^15, of which the digits are the tail. */
STEP wide_digest digest_digits(wide number)
{
    const wide none = {0};
    /* Without its 26 lowest bits a number is up to 0.68 groups less, and 2882303761 is 2^58 / 10^8
     * without its fraction, so `high` is right, or 1 too low. */
    wide high = times(number >> 26, none + 2882303761) >> 32;
    wide low = number - times(high, none + ALLOT_DIGITS_GROUP);
    const wide_mask over = (wide_mask)low >= ALLOT_DIGITS_GROUP;
    high -= (wide)over;
    low -= (wide)over & ALLOT_DIGITS_GROUP;

    const wide_mask brief = high == 0;
    const wide high_digits = digits_of(high), low_digits = digits_of(low);
    const wide first = choose(brief, low_digits, high_digits);
    const wide text = none + UINT64_C(0x3030303030303030);
    const wide second = choose(brief, none, low_digits | text);
    /* Zeros in front: the bytes below the lowest bit; 0 keeps its last. */
    const wide zeros = (sum_bytes((first ^ (first - 1)) & UINT64_C(0x0101010101010101)) - 1) << 3;
    const wide size = choose(brief, none + 8, none + 16) - (zeros >> 3);
    const wide_digest h = {none + ALLOT_SEED_UNIT, none + ALLOT_SEED_UNIT};
    return allot_murmur3_end(h, down(first | text, zeros) | up(second, 64 - zeros),
                             down(second, zeros), size);
}

/* How many of the n numbers are digested: all but fewer than LANES, or up to one too large. */
WIDE static int64_t digest_number_groups(const uint64_t *numbers, int64_t n, uint64_t *h1,
                                         uint64_t *h2)
{
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        wide number;
        memcpy(&number, numbers + i, sizeof number);
        if (has_any(number >= ALLOT_DIGITS_TAIL)) break;
        const wide_digest h = digest_digits(number);
        memcpy(h1 + i, &h.h1, sizeof h.h1);
        memcpy(h2 + i, &h.h2, sizeof h.h2);
    }
    return i;
}

/* How many of the n texts are digested: all but fewer than LANES. The bytes of those to come are
 * fetched ahead. */
WIDE static int64_t digest_groups(const allot_text *texts, int64_t n, uint64_t *h1, uint64_t *h2,
                                  uint8_t *ok)
{
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const allot_text *later = texts + i + ALLOT_TEXTS_AHEAD;
        for (int k = 0; k < LANES && i + ALLOT_TEXTS_AHEAD + LANES <= n; k++)
            __builtin_prefetch((const void *)((uintptr_t)later[k].at + later[k].size));
        digest_group(texts + i, h1 + i, h2 + i, ok + i);
    }
    return i;
}
