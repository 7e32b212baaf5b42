/* Texts: whether bytes are UTF-8, and numbers and code points as text. */
#ifndef ALLOT_TEXT_H
#define ALLOT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Whether the bytes are well-formed UTF-8 (Unicode 15, table 3-7: no surrogates, no overlong forms,
 * nothing above U+10FFFF). */
bool allot_utf8_valid_from(const uint8_t *text, size_t size);

/* The same, with the usual case, ASCII, decided eight bytes at a time in the caller. */
static inline bool allot_utf8_valid(const uint8_t *text, size_t size) {
    uint64_t high = 0, word;
    if (size >= 8) {
        for (size_t i = 0; i + 8 < size; i += 8) {
            memcpy(&word, text + i, 8);
            high |= word;
        }
        memcpy(&word, text + size - 8, 8);
        high |= word;
    } else {
        for (size_t i = 0; i < size; i++) high |= text[i];
    }
    return !(high & UINT64_C(0x8080808080808080)) || allot_utf8_valid_from(text, size);
}

enum {
    ALLOT_DECIMAL_BYTES = 20, /* the most of a 64-bit number, its sign included */
    ALLOT_DIGITS_BYTES = 25,  /* three groups of eight digits, and a sign */
};

/* Numbers are spelled eight digits at a time. */
#define ALLOT_DIGITS_GROUP UINT64_C(100000000)

/* Numbers below it have at most 15 digits: to murmur3 they are all tail. */
#define ALLOT_DIGITS_TAIL UINT64_C(1000000000000000)

/* The eight decimal digits of a number below 10^8, one a byte, the first digit in the lowest:
 * halves, then quarters, then eighths at once. Each multiplier is a power of two over 10,000, 100
 * or 10, rounded up, and exact for the numbers that reach it. */
static inline uint64_t allot_digits_of(uint64_t number)
{
    uint64_t high = number * 109951163 >> 40;
    uint64_t x = high | (number - high * 10000) << 32;
    high = x * 10486 >> 20 & UINT64_C(0x0000007f0000007f);
    x = high | (x - high * 100) << 16;
    high = x * 103 >> 10 & UINT64_C(0x000f000f000f000f);
    return high | (x - high * 10) << 8;
}

/* How many of eight digits follow the zeros in front; 0 has one digit. */
static inline size_t allot_digits_count(uint64_t digits)
{
    return digits ? 8 - ((size_t)__builtin_ctzll(digits) >> 3) : 1;
}

/* Writes eight digits as text. */
static inline void allot_store_digits(uint64_t digits, uint8_t *at)
{
    digits |= UINT64_C(0x3030303030303030);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    digits = __builtin_bswap64(digits);
#endif
    memcpy(at, &digits, 8);
}

/* Writes the number in decimal, as Python's str does, so that its last digit is before `end`;
 * returns how many bytes it has. The ALLOT_DIGITS_BYTES before `end` are all scratch. */
size_t allot_decimal_ending(uint64_t number, uint8_t *end);
size_t allot_decimal_signed_ending(int64_t number, uint8_t *end);

/* The same at `out`, which holds ALLOT_DECIMAL_BYTES. */
size_t allot_decimal_signed(int64_t number, uint8_t *out);

/* Encodes code points as UTF-8 into `out`, which holds 4 bytes for each; returns how many bytes, or
 * SIZE_MAX where one of them is a surrogate or above U+10FFFF. */
size_t allot_utf8_of_ucs4(const uint32_t *points, size_t count, uint8_t *out);

#endif
