/* Rows as text: for each its unit, and then a word of each column of answers, which has few. */
#ifndef ALLOT_ROW_TEXTS_H
#define ALLOT_ROW_TEXTS_H

#include <stddef.h>
#include <stdint.h>

#include "column.h"
#include "plan.h"

/* codes, reasons  what rows got: a code from -1 up to below `codes_count`, a reason below
 *                 `reasons_count`
 * marks           0 or 1 a row, or NULL: 0
 * words           by place (allot_words_place); `at` is NULL where no row was known to have it */
typedef struct {
    const int16_t *codes;
    const uint8_t *reasons, *marks;
    int64_t codes_count;
    allot_text *words;
} allot_answers;

/* How many words a column may have. */
static inline size_t allot_words_count(const allot_answers *of)
{
    return (size_t)((of->codes_count + 1) * ALLOT_REASONS * 2);
}

/* The place of a row's word; at the end of all where it is none that the column may have. */
static inline size_t allot_words_place(const allot_answers *of, int64_t row)
{
    const int64_t code = of->codes[row] + 1, reason = of->reasons[row];
    const int64_t mark = of->marks && of->marks[row];
    if (code < 0 || code > of->codes_count || reason >= ALLOT_REASONS)
        return allot_words_count(of);
    return (size_t)((code * ALLOT_REASONS + reason) * 2 + mark);
}

/* The first row of [start, stop) whose word is not there, or `stop`; *size grows by the words of
 * those before it. */
int64_t allot_row_words_size(const allot_answers *answers, int64_t start, int64_t stop,
                             size_t *size);

/* Writes rows [start, start + n) up to `end`, where what does not fit is cut off; returns where it
 * ended. A word that is not there is no text. */
uint8_t *allot_row_texts_write(const allot_text *units, const allot_answers *columns,
                               size_t columns_count, int64_t start, int64_t n, uint8_t *out,
                               const uint8_t *end);

#endif
