/* SHA-256, FIPS 180-4; with the processor's own instructions where it has them. */
#include "bytes.h"
#include "paths.h"
#include "hashes.h"

/* The fractions of the square roots of the first eight primes. */
const uint32_t allot_sha256_start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* The fractions of the cube roots of the first 64 primes. */
static const uint32_t ROOTS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static void take_block(uint32_t *state, const uint8_t *text)
{
    uint32_t words[64], s[8];
    for (size_t i = 0; i < 16; i++) words[i] = allot_load_big32(text + 4 * i);
    for (size_t i = 16; i < 64; i++) {
        const uint32_t early = words[i - 15], late = words[i - 2];
        words[i] = words[i - 16] + words[i - 7] +
                   (allot_right32(early, 7) ^ allot_right32(early, 18) ^ early >> 3) +
                   (allot_right32(late, 17) ^ allot_right32(late, 19) ^ late >> 10);
    }
    for (size_t i = 0; i < 8; i++) s[i] = state[i];
    for (size_t i = 0; i < 64; i++) {
        const uint32_t choice = s[6] ^ (s[4] & (s[5] ^ s[6]));
        const uint32_t majority = (s[0] & s[1]) | (s[2] & (s[0] | s[1]));
        const uint32_t one =
            s[7] + (allot_right32(s[4], 6) ^ allot_right32(s[4], 11) ^ allot_right32(s[4], 25)) +
            choice + ROOTS[i] + words[i];
        const uint32_t two =
            (allot_right32(s[0], 2) ^ allot_right32(s[0], 13) ^ allot_right32(s[0], 22)) + majority;
        s[7] = s[6];
        s[6] = s[5];
        s[5] = s[4];
        s[4] = s[3] + one;
        s[3] = s[2];
        s[2] = s[1];
        s[1] = s[0];
        s[0] = one + two;
    }
    for (size_t i = 0; i < 8; i++) state[i] += s[i];
}

#ifdef ALLOT_SHA
/* The state lies in two registers, as the instructions want it: (f, e, b, a) and (h, g, d, c), the
 * lowest lane first. */
ALLOT_SHA static void take_by_processor(uint32_t *state, const uint8_t *text, size_t count)
{
    const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i abef = _mm_set_epi32((int)state[0], (int)state[1], (int)state[4], (int)state[5]);
    __m128i cdgh = _mm_set_epi32((int)state[2], (int)state[3], (int)state[6], (int)state[7]);
    for (; count > 0; count--, text += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i words[16];
        for (size_t i = 0; i < 16; i++) {
            if (i < 4) {
                const __m128i *at = (const __m128i *)(const void *)(text + 16 * i);
                words[i] = _mm_shuffle_epi8(_mm_loadu_si128(at), order);
            } else {
                const __m128i across = _mm_alignr_epi8(words[i - 1], words[i - 2], 4);
                const __m128i early = _mm_sha256msg1_epu32(words[i - 4], words[i - 3]);
                words[i] = _mm_sha256msg2_epu32(_mm_add_epi32(early, across), words[i - 1]);
            }
            const __m128i *roots = (const __m128i *)(const void *)(ROOTS + 4 * i);
            const __m128i sum = _mm_add_epi32(words[i], _mm_loadu_si128(roots));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    state[0] = (uint32_t)_mm_extract_epi32(abef, 3);
    state[1] = (uint32_t)_mm_extract_epi32(abef, 2);
    state[2] = (uint32_t)_mm_extract_epi32(cdgh, 3);
    state[3] = (uint32_t)_mm_extract_epi32(cdgh, 2);
    state[4] = (uint32_t)_mm_extract_epi32(abef, 1);
    state[5] = (uint32_t)_mm_extract_epi32(abef, 0);
    state[6] = (uint32_t)_mm_extract_epi32(cdgh, 1);
    state[7] = (uint32_t)_mm_extract_epi32(cdgh, 0);
}
#endif

void allot_sha256_take(uint32_t *state, const uint8_t *text, size_t count)
{
#ifdef ALLOT_SHA
    if (allot_has_sha()) {
        take_by_processor(state, text, count);
        return;
    }
#endif
    for (; count > 0; count--, text += 64) take_block(state, text);
}
