/* Four 64-bit numbers at a time: AVX2. */
#include "paths.h"

#ifdef ALLOT_X86
#include <immintrin.h>

enum { LANES = 4, SPAN = 16 };
#define WIDE ALLOT_AVX2
#include "bytes.h"
#include "members.h"
#include "wide.h"

STEP bool has_high_bits(wide words) { return _mm256_movemask_epi8((__m256i)words) != 0; }
STEP bool has_any(wide_mask mask) { return !_mm256_testz_si256((__m256i)mask, (__m256i)mask); }

STEP wide choose(wide_mask mask, wide one, wide other)
{
    return (wide)_mm256_blendv_epi8((__m256i)other, (__m256i)one, (__m256i)mask);
}

STEP wide sizes_of(const allot_text *texts)
{
    const __m256i one = _mm256_loadu_si256((const void *)texts);
    const __m256i two = _mm256_loadu_si256((const void *)(texts + 2));
    return (wide)_mm256_permute4x64_epi64(_mm256_unpackhi_epi64(one, two), 0xd8);
}

STEP wide times(wide one, wide other)
{
    return (wide)_mm256_mul_epu32((__m256i)one, (__m256i)other);
}

STEP wide up(wide x, wide bits) { return (wide)_mm256_sllv_epi64((__m256i)x, (__m256i)bits); }
STEP wide down(wide x, wide bits) { return (wide)_mm256_srlv_epi64((__m256i)x, (__m256i)bits); }

STEP wide sum_bytes(wide x)
{
    return (wide)_mm256_sad_epu8((__m256i)x, _mm256_setzero_si256());
}

/* The last bytes of a text, 0 to 15, zeros behind them. A text of 16 bytes or more is read up to
 * its end, and moved down. */
STEP __m128i load_end(const uint8_t *text, uint64_t size)
{
    static const int8_t moves[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                     -1, -1, -1, -1, -1, -1, -1, -1,
                                     -1, -1, -1, -1, -1, -1, -1, -1};
    if (size >= 16)
        return _mm_shuffle_epi8(_mm_loadu_si128((const void *)(text + size - 16)),
                                _mm_loadu_si128((const void *)(moves + 16 - size % 16)));
    const uint64_t low = size < 8 ? size : 8, high = size - low;
    return _mm_set_epi64x(high ? (int64_t)allot_load_up_to_8(text + 8, high) : 0,
                          low ? (int64_t)allot_load_up_to_8(text, low) : 0);
}

STEP void load(const allot_text *texts, const uint64_t *sizes, const bool alike, uint64_t from,
               wide *words)
{
    __m128i rows[4];
    for (int i = 0; i < 4; i++) {
        const uint64_t size = sizes[alike ? 0 : i];
        if (size >= from + 16) {
            rows[i] = _mm_loadu_si128((const void *)(texts[i].at + from));
        } else {
            rows[i] = size > from ? load_end(texts[i].at, size) : _mm_setzero_si128();
        }
    }
    const __m256i even = _mm256_set_m128i(rows[2], rows[0]);
    const __m256i odd = _mm256_set_m128i(rows[3], rows[1]);
    words[0] = (wide)_mm256_unpacklo_epi64(even, odd);
    words[1] = (wide)_mm256_unpackhi_epi64(even, odd);
}

int64_t allot_digest_avx2(const allot_text *texts, int64_t n, uint64_t *h1, uint64_t *h2,
                          uint8_t *ok)
{
    return digest_groups(texts, n, h1, h2, ok);
}

int64_t allot_digest_numbers_avx2(const uint64_t *numbers, int64_t n, uint64_t *h1, uint64_t *h2)
{
    return digest_number_groups(numbers, n, h1, h2);
}

STEP __m256i answers_of(__m256i answers, const uint32_t *codes)
{
    const __m256i code = _mm256_loadu_si256((const void *)codes);
    const __m256i word = _mm256_permutevar8x32_epi32(answers, _mm256_srli_epi32(code, 5));
    const __m256i bit = _mm256_and_si256(code, _mm256_set1_epi32(31));
    return _mm256_and_si256(_mm256_srlv_epi32(word, bit), _mm256_set1_epi32(1));
}

WIDE int64_t allot_members_avx2(const uint32_t *answers, const uint32_t *codes, int64_t n,
                                uint8_t *members)
{
    const __m256i table = _mm256_loadu_si256((const void *)answers);
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
        const __m256i one = _mm256_packus_epi32(answers_of(table, codes + i),
                                                answers_of(table, codes + i + 8));
        const __m256i two = _mm256_packus_epi32(answers_of(table, codes + i + 16),
                                                answers_of(table, codes + i + 24));
        const __m256i bytes = _mm256_packus_epi16(one, two);
        _mm256_storeu_si256((void *)(members + i), _mm256_permutevar8x32_epi32(bytes, order));
    }
    return i;
}
#endif
