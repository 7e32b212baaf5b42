/* Eight 64-bit numbers at a time: AVX-512 with F, BW, DQ and VL. */
#include "paths.h"

#ifdef ALLOT_X86
#include <immintrin.h>

enum { LANES = 8, SPAN = 64 };
#define WIDE ALLOT_AVX512
#include "members.h"
#include "wide.h"

STEP bool has_high_bits(wide words) { return _mm512_movepi8_mask((__m512i)words) != 0; }
STEP bool has_any(wide_mask mask) { return _mm512_test_epi64_mask((__m512i)mask, (__m512i)mask); }

STEP wide choose(wide_mask mask, wide one, wide other)
{
    return (wide)_mm512_mask_mov_epi64((__m512i)other, _mm512_movepi64_mask((__m512i)mask),
                                       (__m512i)one);
}

STEP wide sizes_of(const allot_text *texts)
{
    const __m512i odd = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
    return (wide)_mm512_permutex2var_epi64(_mm512_loadu_si512(texts), odd,
                                           _mm512_loadu_si512(texts + 4));
}

STEP wide times(wide one, wide other)
{
    return (wide)_mm512_mul_epu32((__m512i)one, (__m512i)other);
}

STEP wide up(wide x, wide bits) { return (wide)_mm512_sllv_epi64((__m512i)x, (__m512i)bits); }
STEP wide down(wide x, wide bits) { return (wide)_mm512_srlv_epi64((__m512i)x, (__m512i)bits); }

STEP wide sum_bytes(wide x)
{
    return (wide)_mm512_sad_epu8((__m512i)x, _mm512_setzero_si512());
}

/* Turns eight rows of eight into columns. */
STEP void turn(__m512i *rows)
{
    __m512i pairs[8], fours[8];
    for (int i = 0; i < 8; i += 2) {
        pairs[i] = _mm512_unpacklo_epi64(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm512_unpackhi_epi64(rows[i], rows[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        for (int k = 0; k < 2; k++) {
            fours[i + k] = _mm512_shuffle_i64x2(pairs[i + k], pairs[i + k + 2], 0x88);
            fours[i + k + 2] = _mm512_shuffle_i64x2(pairs[i + k], pairs[i + k + 2], 0xdd);
        }
    }
    for (int k = 0; k < 4; k++) {
        rows[k] = _mm512_shuffle_i64x2(fours[k], fours[k + 4], 0x88);
        rows[k + 4] = _mm512_shuffle_i64x2(fours[k], fours[k + 4], 0xdd);
    }
}

STEP void load(const allot_text *texts, const uint64_t *sizes, const bool alike, uint64_t from,
               wide *words)
{
    __m512i rows[8];
    for (int i = 0; i < 8; i++) {
        const uint64_t size = sizes[alike ? 0 : i], left = size > from ? size - from : 0;
        const __mmask64 there = _bzhi_u64(UINT64_MAX, left < 64 ? (uint32_t)left : 64);
        rows[i] = _mm512_maskz_loadu_epi8(there, (const void *)((uintptr_t)texts[i].at + from));
    }
    turn(rows);
    for (int k = 0; k < 8; k++) words[k] = (wide)rows[k];
}

int64_t allot_digest_avx512(const allot_text *texts, int64_t n, uint64_t *h1, uint64_t *h2,
                            uint8_t *ok)
{
    return digest_groups(texts, n, h1, h2, ok);
}

int64_t allot_digest_numbers_avx512(const uint64_t *numbers, int64_t n, uint64_t *h1, uint64_t *h2)
{
    return digest_number_groups(numbers, n, h1, h2);
}

WIDE int64_t allot_members_avx512(const uint32_t *answers, const uint32_t *codes, int64_t n,
                                  uint8_t *members)
{
    const __m512i table = _mm512_broadcast_i64x4(_mm256_loadu_si256((const void *)answers));
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        const __m512i code = _mm512_loadu_si512(codes + i);
        const __m512i word = _mm512_permutexvar_epi32(_mm512_srli_epi32(code, 5), table);
        const __m512i bit = _mm512_and_si512(code, _mm512_set1_epi32(31));
        const __mmask16 is = _mm512_test_epi32_mask(_mm512_srlv_epi32(word, bit),
                                                    _mm512_set1_epi32(1));
        _mm_storeu_si128((void *)(members + i), _mm_maskz_set1_epi8(is, 1));
    }
    return i;
}
#endif
