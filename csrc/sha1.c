/* SHA-1, FIPS 180-4; with the processor's own instructions where it has them. */
#include "bytes.h"
#include "paths.h"
#include "hashes.h"

const uint32_t allot_sha1_start[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};

/* floor(2^30 times the square root of 2, 3, 5 and 10) */
static const uint32_t ROOTS[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};

static inline uint32_t mixed(size_t part, uint32_t b, uint32_t c, uint32_t d)
{
    if (part == 0) return d ^ (b & (c ^ d));
    if (part == 2) return (b & c) | (d & (b | c));
    return b ^ c ^ d;
}

static void take_block(uint32_t *state, const uint8_t *text)
{
    uint32_t words[80];
    for (size_t i = 0; i < 16; i++) words[i] = allot_load_big32(text + 4 * i);
    for (size_t i = 16; i < 80; i++)
        words[i] =
            allot_left32(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (size_t i = 0; i < 80; i++) {
        const size_t part = i / 20;
        const uint32_t next =
            allot_left32(a, 5) + mixed(part, b, c, d) + e + ROOTS[part] + words[i];
        e = d;
        d = c;
        c = allot_left32(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

#ifdef ALLOT_SHA
/* Four rounds of the part: what e was lies in the first lane of the state before them. */
#define FOUR(i, part)                                                                              \
    do {                                                                                           \
        if ((i) >= 4) {                                                                            \
            const __m128i early = _mm_sha1msg1_epu32(words[(i) % 4], words[((i) + 1) % 4]);        \
            words[(i) % 4] = _mm_sha1msg2_epu32(                                                   \
                _mm_xor_si128(early, words[((i) + 2) % 4]), words[((i) + 3) % 4]);                 \
        }                                                                                          \
        const __m128i e = (i) ? _mm_sha1nexte_epu32(last, words[(i) % 4])                          \
                              : _mm_add_epi32(last, words[0]);                                     \
        last = abcd;                                                                               \
        abcd = _mm_sha1rnds4_epu32(abcd, e, part);                                                 \
    } while (0)

ALLOT_SHA static void take_by_processor(uint32_t *state, const uint8_t *text, size_t count)
{
    const __m128i order = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
    __m128i abcd =
        _mm_set_epi32((int)state[0], (int)state[1], (int)state[2], (int)state[3]);
    __m128i e_word = _mm_set_epi32((int)state[4], 0, 0, 0);
    for (; count > 0; count--, text += 64) {
        const __m128i abcd_before = abcd, e_before = e_word;
        __m128i words[4], last = e_word;
        for (size_t i = 0; i < 4; i++) {
            const __m128i *at = (const __m128i *)(const void *)(text + 16 * i);
            words[i] = _mm_shuffle_epi8(_mm_loadu_si128(at), order);
        }
        for (int i = 0; i < 5; i++) FOUR(i, 0);
        for (int i = 5; i < 10; i++) FOUR(i, 1);
        for (int i = 10; i < 15; i++) FOUR(i, 2);
        for (int i = 15; i < 20; i++) FOUR(i, 3);
        e_word = _mm_sha1nexte_epu32(last, e_before);
        abcd = _mm_add_epi32(abcd, abcd_before);
    }
    state[0] = (uint32_t)_mm_extract_epi32(abcd, 3);
    state[1] = (uint32_t)_mm_extract_epi32(abcd, 2);
    state[2] = (uint32_t)_mm_extract_epi32(abcd, 1);
    state[3] = (uint32_t)_mm_extract_epi32(abcd, 0);
    state[4] = (uint32_t)_mm_extract_epi32(e_word, 3);
}
#endif

void allot_sha1_take(uint32_t *state, const uint8_t *text, size_t count)
{
#ifdef ALLOT_SHA
    if (allot_has_sha()) {
        take_by_processor(state, text, count);
        return;
    }
#endif
    for (; count > 0; count--, text += 64) take_block(state, text);
}
