#include "spell.h"

#include <assert.h>
#include <string.h>

#include "text.h"

enum { DAY_SECONDS = 86400, LIMBS_MAX = 8 };

static size_t none(uint8_t *out)
{
    out[0] = ALLOT_NO_TEXT;
    return 1;
}

/* The last `count` digits of a number. */
static uint8_t *digits(uint8_t *out, uint64_t number, int count)
{
    for (int i = count - 1; i >= 0; i--, number /= 10) out[i] = (uint8_t)('0' + number % 10);
    return out + count;
}

static size_t spell_uuid(const uint8_t *at, uint8_t *out)
{
    static const char HEX[] = "0123456789abcdef";
    uint8_t *to = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
        *to++ = (uint8_t)HEX[at[i] >> 4];
        *to++ = (uint8_t)HEX[at[i] & 15];
    }
    return (size_t)(to - out);
}

/* Two's complement of `width` bytes as 32-bit limbs, the lowest first, without its sign. */
static bool limbs_of(const uint8_t *at, int64_t width, uint32_t limbs[LIMBS_MAX])
{
    const int count = (int)(width / 4);
    for (int i = 0; i < count; i++) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        memcpy(&limbs[i], at + 4 * (count - 1 - i), 4);
#else
        memcpy(&limbs[i], at + 4 * i, 4);
#endif
    }
    const bool negative = limbs[count - 1] >> 31;
    uint64_t carry = 1;
    for (int i = 0; negative && i < count; i++) {
        carry += (uint32_t)~limbs[i];
        limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return negative;
}

static size_t spell_decimal(const uint8_t *at, int64_t width, int32_t scale, uint8_t *out)
{
    uint32_t limbs[LIMBS_MAX] = {0};
    uint8_t text[81], *first = text + sizeof text, *to = out; /* nine digits at a time */
    if (limbs_of(at, width, limbs)) *to++ = '-';
    for (int count = (int)(width / 4); count > 0;) {
        uint64_t rest = 0;
        for (int i = count - 1; i >= 0; i--) {
            rest = rest << 32 | limbs[i];
            limbs[i] = (uint32_t)(rest / 1000000000);
            rest %= 1000000000;
        }
        first -= 9;
        digits(first, rest, 9);
        while (count > 0 && limbs[count - 1] == 0) count--;
    }
    while (first < text + sizeof text - 1 && *first == '0') first++;
    const size_t size = (size_t)(text + sizeof text - first);
    memcpy(to, first, size);
    to += size;
    if (scale == 0) return (size_t)(to - out);
    *to++ = 'E';
    to += allot_decimal_signed(-(int64_t)scale, to);
    return (size_t)(to - out);
}

/* Division that rounds down, and what is left of it. */
static int64_t floor_div(int64_t number, int64_t by, int64_t *rest)
{
    *rest = number % by;
    const int64_t quotient = number / by;
    if (*rest >= 0) return quotient;
    *rest += by;
    return quotient - 1;
}

/* A day since 1970 as YYYY-MM-DD, or NULL where its year is 0 or has not four digits. Years are
 * counted from March on, so that a leap year has its extra day last, in eras of 400 years. */
static uint8_t *spell_day(int64_t day, uint8_t *out)
{
    if (day < -719162 || day > 2932896) return NULL; /* 0001-01-01, 9999-12-31 */
    int64_t in_era;
    const int64_t era = floor_div(day + 719468, 146097, &in_era);
    const int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    const int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    const int64_t month = (5 * in_year + 2) / 153;
    const int64_t in_month = in_year - (153 * month + 2) / 5 + 1;
    uint8_t *to = digits(out, (uint64_t)(year + era * 400 + (month >= 10)), 4);
    *to++ = '-';
    to = digits(to, (uint64_t)(month < 10 ? month + 3 : month - 9), 2);
    *to++ = '-';
    return digits(to, (uint64_t)in_month, 2);
}

/* HH:MM:SS, and six or nine digits of a fraction where there is one. */
static uint8_t *spell_time(int64_t second, int64_t fraction, int64_t per_second, uint8_t *out)
{
    uint8_t *to = digits(out, (uint64_t)(second / 3600), 2);
    *to++ = ':';
    to = digits(to, (uint64_t)(second / 60 % 60), 2);
    *to++ = ':';
    to = digits(to, (uint64_t)(second % 60), 2);
    if (fraction == 0) return to;
    const uint64_t nanos = (uint64_t)(fraction * (1000000000 / per_second));
    *to++ = '.';
    return nanos % 1000 ? digits(to, nanos, 9) : digits(to, nanos / 1000, 6);
}

static size_t spell_moment(const allot_column *column, int64_t number, uint8_t *out)
{
    const int64_t per_second = column->width;
    int64_t fraction, second;
    const int64_t day = floor_div(floor_div(number, per_second, &fraction), DAY_SECONDS, &second);
    if (column->kind == ALLOT_COLUMN_TIME) {
        if (day != 0) return none(out);
        return (size_t)(spell_time(second, fraction, per_second, out) - out);
    }
    uint8_t *to = spell_day(day, out);
    if (!to) return none(out);
    if (column->kind == ALLOT_COLUMN_DATE) return (size_t)(to - out);
    *to++ = 'T';
    to = spell_time(second, fraction, per_second, to);
    if (column->kind == ALLOT_COLUMN_INSTANT) *to++ = 'Z';
    return (size_t)(to - out);
}

size_t allot_spell(const allot_column *column, int64_t row, uint8_t *out)
{
    const uint8_t *values = column->values;
    int32_t narrow;
    int64_t wide;
    switch (column->kind) {
    case ALLOT_COLUMN_UUID: return spell_uuid(values + 16 * row, out);
    case ALLOT_COLUMN_DECIMAL:
        return spell_decimal(values + column->width * row, column->width, column->scale, out);
    case ALLOT_COLUMN_DAYS: {
        memcpy(&narrow, values + 4 * row, 4);
        uint8_t *to = spell_day(narrow, out);
        return to ? (size_t)(to - out) : none(out);
    }
    case ALLOT_COLUMN_TIME:
        if (column->width <= 1000) { /* seconds and milliseconds of a day need 32 bits */
            memcpy(&narrow, values + 4 * row, 4);
            return spell_moment(column, narrow, out);
        }
        memcpy(&wide, values + 8 * row, 8);
        return spell_moment(column, wide, out);
    case ALLOT_COLUMN_DATE:
    case ALLOT_COLUMN_MOMENT:
    case ALLOT_COLUMN_INSTANT: memcpy(&wide, values + 8 * row, 8);
        return spell_moment(column, wide, out);
    default: assert(!"a column that is spelled"); return none(out);
    }
}
