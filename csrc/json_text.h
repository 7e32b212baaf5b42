/* Where the plain part of a JSON text ends: what most texts are all of. */
#ifndef ALLOT_JSON_TEXT_H
#define ALLOT_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

#if defined(__SSE2__) && !defined(ALLOT_SANITIZE)
#include <emmintrin.h>
#endif

/* A quote, a backslash, and what may not stand in a text. */
static inline bool allot_json_is_special(uint8_t c) { return c == '"' || c == '\\' || c < 0x20; }

/* The highest bit of each byte that is special, up to the first one; those behind it may be wrong,
 * as a byte borrows from the next. */
static inline uint64_t allot_json_specials(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    const uint64_t quotes = word ^ ones * '"', slashes = word ^ ones * '\\';
    return (((quotes - ones) & ~quotes) | ((slashes - ones) & ~slashes) |
            ((word - ones * 0x20) & ~word)) & highs;
}

/* The first byte from `at` on that is special, or `end`. *high is not 0 where a byte before it is
 * no ASCII; else it stays. */
static inline const uint8_t *allot_json_plain(const uint8_t *at, const uint8_t *end, uint64_t *high)
{
#if defined(__SSE2__) && !defined(ALLOT_SANITIZE)
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1f);
    for (; end - at >= 16; at += 16) {
        const __m128i some = _mm_loadu_si128((const __m128i *)(const void *)at);
        const __m128i found = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(some, quote), _mm_cmpeq_epi8(some, slash)),
            _mm_cmpeq_epi8(_mm_min_epu8(some, control), some));
        const unsigned special = (unsigned)_mm_movemask_epi8(found);
        const unsigned highs = (unsigned)_mm_movemask_epi8(some);
        if (special) {
            const unsigned before = (unsigned)__builtin_ctz(special);
            *high |= highs & ((1u << before) - 1);
            return at + before;
        }
        *high |= highs;
    }
#endif
    for (; end - at >= 8; at += 8) {
        const uint64_t word = allot_load_little64(at), special = allot_json_specials(word);
        if (special) break;
        *high |= word & UINT64_C(0x8080808080808080);
    }
    for (; at < end && !allot_json_is_special(*at); at++) *high |= *at & 0x80;
    return at;
}

static inline const uint8_t *allot_json_blank(const uint8_t *at, const uint8_t *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
    return at;
}

#endif
