/* The texts of values that lie in columns as something else: UUIDs, decimals, dates and times.
 *
 * A text is what src/allotment/values.py makes of the same value. Of a decimal it is its digits,
 * and an exponent where it has places behind the point: Python's Decimal reads that. */
#ifndef ALLOT_SPELL_H
#define ALLOT_SPELL_H

#include "column.h"

/* The most bytes of one such text: a decimal of 256 bits has up to 78 digits, a sign, "E", and a
 * scale of any int32. */
#define ALLOT_SPELLED_BYTES 96

/* What stands for a value that has no text, such as a date of the year 10000: a byte that is not
 * UTF-8. */
#define ALLOT_NO_TEXT 0xff

/* Writes the text of the value at row `row` of the buffers of a column of such a kind, which is not
 * null, to `out`, which holds ALLOT_SPELLED_BYTES; returns how many bytes it has. */
size_t allot_spell(const allot_column *column, int64_t row, uint8_t *out);

#endif
