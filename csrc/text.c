#include "text.h"

#include <assert.h>

/* The bytes that may follow a lead byte: how many, and the range of the first of them. */
typedef struct {
    uint8_t count, low, high;
} tail;

static tail tail_of(uint8_t lead)
{
    if (lead < 0xc2) return (tail){0, 0, 0};
    if (lead < 0xe0) return (tail){1, 0x80, 0xbf};
    if (lead == 0xe0) return (tail){2, 0xa0, 0xbf};
    if (lead == 0xed) return (tail){2, 0x80, 0x9f};
    if (lead < 0xf0) return (tail){2, 0x80, 0xbf};
    if (lead == 0xf0) return (tail){3, 0x90, 0xbf};
    if (lead < 0xf4) return (tail){3, 0x80, 0xbf};
    if (lead == 0xf4) return (tail){3, 0x80, 0x8f};
    return (tail){0, 0, 0};
}

bool allot_utf8_valid_from(const uint8_t *text, size_t size)
{
    size_t i = 0;
    while (i < size) {
        if (text[i] < 0x80) {
            i++;
            continue;
        }
        const tail next = tail_of(text[i]);
        if (next.count == 0 || size - i <= next.count) return false;
        if (text[i + 1] < next.low || text[i + 1] > next.high) return false;
        for (size_t k = 2; k <= next.count; k++) {
            if ((text[i + k] & 0xc0) != 0x80) return false;
        }
        i += 1 + (size_t)next.count;
    }
    return true;
}

size_t allot_decimal_ending(uint64_t number, uint8_t *end)
{
    size_t before = 0;
    for (;; number /= ALLOT_DIGITS_GROUP, before += 8) {
        const uint64_t digits = allot_digits_of(number % ALLOT_DIGITS_GROUP);
        allot_store_digits(digits, end - before - 8);
        if (number < ALLOT_DIGITS_GROUP) return before + allot_digits_count(digits);
    }
}

size_t allot_decimal_signed_ending(int64_t number, uint8_t *end)
{
    if (number >= 0) return allot_decimal_ending((uint64_t)number, end);
    /* The negation is made in unsigned numbers: that of the least int64 has no signed value. */
    const size_t size = allot_decimal_ending(UINT64_C(0) - (uint64_t)number, end);
    *(end - size - 1) = '-';
    return size + 1;
}

size_t allot_decimal_signed(int64_t number, uint8_t *out)
{
    uint8_t digits[ALLOT_DIGITS_BYTES];
    const size_t size = allot_decimal_signed_ending(number, digits + sizeof digits);
    assert(size <= ALLOT_DECIMAL_BYTES);
    memcpy(out, digits + sizeof digits - size, size);
    return size;
}

size_t allot_utf8_of_ucs4(const uint32_t *points, size_t count, uint8_t *out)
{
    uint8_t *at = out;
    for (size_t i = 0; i < count; i++) {
        const uint32_t point = points[i];
        if (point < 0x80) {
            *at++ = (uint8_t)point;
        } else if (point < 0x800) {
            *at++ = (uint8_t)(0xc0 | point >> 6);
            *at++ = (uint8_t)(0x80 | (point & 0x3f));
        } else if (point < 0x10000) {
            if (point >= 0xd800 && point < 0xe000) return SIZE_MAX;
            *at++ = (uint8_t)(0xe0 | point >> 12);
            *at++ = (uint8_t)(0x80 | (point >> 6 & 0x3f));
            *at++ = (uint8_t)(0x80 | (point & 0x3f));
        } else {
            if (point > 0x10ffff) return SIZE_MAX;
            *at++ = (uint8_t)(0xf0 | point >> 18);
            *at++ = (uint8_t)(0x80 | (point >> 12 & 0x3f));
            *at++ = (uint8_t)(0x80 | (point >> 6 & 0x3f));
            *at++ = (uint8_t)(0x80 | (point & 0x3f));
        }
    }
    return (size_t)(at - out);
}
