#include "column.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "paths.h"
#include "spell.h"
#include "text.h"

static const char DISORDERLY[] = "has offsets that are negative or go backwards";
static const char NO_TEXT[] = "has text rows but no text";
static const char NO_BLOCK[] = "has a text that points outside of its blocks";
const char allot_no_word[] = "has a position outside of its dictionary";

allot_rows allot_column_rows(const allot_column *column)
{
    switch (column->words ? column->words->kind : column->kind) {
    case ALLOT_COLUMN_NULLS: return ALLOT_ROWS_NONE;
    case ALLOT_COLUMN_BOOL:
    case ALLOT_COLUMN_BYTES_BOOL: return ALLOT_ROWS_BOOL;
    case ALLOT_COLUMN_INT8:
    case ALLOT_COLUMN_INT16:
    case ALLOT_COLUMN_INT32:
    case ALLOT_COLUMN_INT64: return ALLOT_ROWS_SIGNED;
    case ALLOT_COLUMN_UINT8:
    case ALLOT_COLUMN_UINT16:
    case ALLOT_COLUMN_UINT32:
    case ALLOT_COLUMN_UINT64: return ALLOT_ROWS_UNSIGNED;
    case ALLOT_COLUMN_FLOAT16:
    case ALLOT_COLUMN_FLOAT32:
    case ALLOT_COLUMN_FLOAT64: return ALLOT_ROWS_FLOAT;
    case ALLOT_COLUMN_TEXT32:
    case ALLOT_COLUMN_TEXT64:
    case ALLOT_COLUMN_VIEWS:
    case ALLOT_COLUMN_FIXED:
    case ALLOT_COLUMN_UUID:
    case ALLOT_COLUMN_UCS4: return ALLOT_ROWS_TEXT;
    case ALLOT_COLUMN_DECIMAL: return ALLOT_ROWS_DECIMAL;
    case ALLOT_COLUMN_DAYS:
    case ALLOT_COLUMN_DATE:
    case ALLOT_COLUMN_TIME:
    case ALLOT_COLUMN_MOMENT:
    case ALLOT_COLUMN_INSTANT: return ALLOT_ROWS_MOMENT;
    case ALLOT_COLUMN_LIST32:
    case ALLOT_COLUMN_LIST64:
    case ALLOT_COLUMN_LIST_FIXED: return ALLOT_ROWS_LIST;
    case ALLOT_COLUMN_STRUCT: return ALLOT_ROWS_STRUCT;
    }
    assert(!"a kind of column without a case");
    return ALLOT_ROWS_NONE;
}

bool allot_column_is_spelled(const allot_column *column)
{
    const allot_column_kind kind = column->words ? column->words->kind : column->kind;
    return kind >= ALLOT_COLUMN_UCS4 && kind <= ALLOT_COLUMN_INSTANT;
}

bool allot_column_validity(const allot_column *column, int64_t start, int64_t n, uint8_t *valid)
{
    assert(start >= 0 && n >= 0 && start + n <= column->rows);
    if (column->kind == ALLOT_COLUMN_NULLS) {
        memset(valid, 0, (size_t)n);
        return n == 0;
    }
    memset(valid, 1, (size_t)n);
    if (!column->validity) return true;
    uint8_t all = 1;
    for (int64_t i = 0; i < n; i++) all &= valid[i] = allot_column_is_valid(column, start + i);
    return all;
}

/* A float of 16 bits: a sign, five bits of exponent, ten of mantissa. */
static double half_at(const uint16_t *values, int64_t i)
{
    const uint16_t half = values[i];
    const int exponent = half >> 10 & 31, mantissa = half & 1023;
    double number;
    if (exponent == 31) {
        number = mantissa ? (double)NAN : (double)INFINITY;
    } else {
        /* Below the least exponent there is no leading one. */
        number = (exponent ? 1024 + mantissa : mantissa) / 16777216.0;
        for (int power = exponent ? exponent : 1; power > 1; power--) number *= 2;
    }
    return half >> 15 ? -number : number;
}

/* The number of one row, which is not null. */
static inline uint64_t number_at(const allot_column *column, int64_t row)
{
    const int64_t i = column->offset + row;
    double wide;
    uint64_t bits;
    switch (column->kind) {
    case ALLOT_COLUMN_BOOL: return ((const uint8_t *)column->values)[i >> 3] >> (i & 7) & 1;
    case ALLOT_COLUMN_BYTES_BOOL: return ((const uint8_t *)column->values)[i] != 0;
    case ALLOT_COLUMN_INT8: return (uint64_t)(int64_t)((const int8_t *)column->values)[i];
    case ALLOT_COLUMN_INT16: return (uint64_t)(int64_t)((const int16_t *)column->values)[i];
    case ALLOT_COLUMN_INT32: return (uint64_t)(int64_t)((const int32_t *)column->values)[i];
    case ALLOT_COLUMN_INT64: return (uint64_t)((const int64_t *)column->values)[i];
    case ALLOT_COLUMN_UINT8: return ((const uint8_t *)column->values)[i];
    case ALLOT_COLUMN_UINT16: return ((const uint16_t *)column->values)[i];
    case ALLOT_COLUMN_UINT32: return ((const uint32_t *)column->values)[i];
    case ALLOT_COLUMN_UINT64: return ((const uint64_t *)column->values)[i];
    case ALLOT_COLUMN_FLOAT16: wide = half_at(column->values, i); break;
    case ALLOT_COLUMN_FLOAT32: wide = (double)((const float *)column->values)[i]; break;
    case ALLOT_COLUMN_FLOAT64: wide = ((const double *)column->values)[i]; break;
    default: assert(!"a column of numbers"); return 0;
    }
    memcpy(&bits, &wide, 8);
    return bits;
}

/* The row of the dictionary that row `row` stands for; -1 where the row or the word is null, -2
 * where it is no row of the dictionary. */
static inline int64_t word_at(const allot_column *column, int64_t row)
{
    if (!allot_column_is_valid(column, row)) return -1;
    const uint64_t word = number_at(column, row);
    if (word >= (uint64_t)column->words->rows) return -2;
    return allot_column_is_valid(column->words, (int64_t)word) ? (int64_t)word : -1;
}

static const char *view_at(const allot_column *column, int64_t i, allot_text *text)
{
    const uint8_t *view = (const uint8_t *)column->values + 16 * i;
    int32_t size, block, from;
    memcpy(&size, view, 4);
    if (size < 0) return NO_BLOCK;
    *text = (allot_text){view + 4, (size_t)size};
    if (size <= 12) return NULL;
    memcpy(&block, view + 8, 4);
    memcpy(&from, view + 12, 4);
    if (block < 0 || block >= column->block_count || !column->blocks[block] || from < 0 ||
        (int64_t)from + size > column->block_sizes[block])
        return NO_BLOCK;
    text->at = (const uint8_t *)column->blocks[block] + from;
    return NULL;
}

/* The text between two offsets. A text of no bytes needs no buffer, but is not null. */
static inline const char *between(const allot_column *column, int64_t from, int64_t to,
                                  allot_text *text)
{
    static const uint8_t nothing[1];
    if (from < 0 || to < from) return DISORDERLY;
    if (!column->text && to > from) return NO_TEXT;
    *text = (allot_text){column->text ? column->text + from : nothing, (size_t)(to - from)};
    return NULL;
}

/* The text of one row, which is not null; UCS4 has an encoding of its own. What is spelled is
 * written to `own`. */
static inline const char *text_at(const allot_column *column, int64_t row, uint8_t *own,
                                  allot_text *text)
{
    const int64_t i = column->offset + row;
    switch (column->kind) {
    case ALLOT_COLUMN_TEXT32: {
        const int32_t *offsets = column->values;
        return between(column, offsets[i], offsets[i + 1], text);
    }
    case ALLOT_COLUMN_TEXT64: {
        const int64_t *offsets = column->values;
        return between(column, offsets[i], offsets[i + 1], text);
    }
    case ALLOT_COLUMN_VIEWS: return view_at(column, i, text);
    case ALLOT_COLUMN_FIXED: {
        const uint8_t *at = (const uint8_t *)column->values + i * column->width;
        size_t size = (size_t)column->width;
        while (size > 0 && at[size - 1] == 0) size--;
        *text = (allot_text){at, size};
        return NULL;
    }
    default: *text = (allot_text){own, allot_spell(column, i, own)}; return NULL;
    }
}

/* Where the text of row i of a block is spelled, if it is. */
static inline uint8_t *own_of(uint8_t *scratch, int64_t i)
{
    return scratch ? scratch + i * ALLOT_SPELLED_BYTES : NULL;
}

static const char *words_of(const allot_column *column, int64_t start, int64_t n, uint8_t *scratch,
                            allot_text *texts)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t word = word_at(column, start + i);
        if (word == -2) return allot_no_word;
        texts[i] = (allot_text){NULL, 0};
        const char *wrong = word < 0 ? NULL : text_at(column->words, word,
                                                     own_of(scratch, i), &texts[i]);
        if (wrong) return wrong;
    }
    return NULL;
}

static void encode_ucs4(const allot_column *column, int64_t start, int64_t n, uint8_t *scratch,
                        allot_text *texts)
{
    const int64_t width = column->width;
    assert(width <= ALLOT_UCS4_WIDTH_MAX);
    for (int64_t i = 0; i < n; i++) {
        const uint32_t *points =
            (const uint32_t *)column->values + (column->offset + start + i) * width;
        size_t count = (size_t)width;
        while (count > 0 && points[count - 1] == 0) count--;
        uint8_t *out = scratch + i * width * 4;
        size_t size = allot_utf8_of_ucs4(points, count, out);
        if (size == SIZE_MAX) {
            out[0] = 0xff;
            size = 1;
        }
        texts[i] = (allot_text){out, size};
    }
}

/* The usual case, without a branch a row: int32 offsets and no nulls. *bad is negative where they
 * are out of order. */
ALLOT_INLINE void all_texts32_body(const int32_t *restrict offsets, const uint8_t *text, int64_t n,
                                   allot_text *restrict texts, int32_t *restrict bad)
{
    int32_t any = 0;
    for (int64_t i = 0; i < n; i++) {
        const int32_t from = offsets[i] < 0 ? 0 : offsets[i];
        any |= offsets[i] | -(offsets[i + 1] < from);
        texts[i].at = text + from;
        texts[i].size = (size_t)offsets[i + 1] - (size_t)from;
    }
    *bad = any;
}
ALLOT_CLONES(all_texts32, (const int32_t *restrict offsets, const uint8_t *text, int64_t n,
                           allot_text *restrict texts, int32_t *restrict bad),
             (offsets, text, n, texts, bad))

const char *allot_column_texts(const allot_column *column, int64_t start, int64_t n,
                               uint8_t *scratch, allot_text *texts)
{
    assert(n <= ALLOT_BLOCK_ROWS && (scratch || !allot_column_is_spelled(column)));
    assert(start >= 0 && n >= 0 && start + n <= column->rows);
    if (column->words) return words_of(column, start, n, scratch, texts);
    if (column->kind == ALLOT_COLUMN_UCS4) {
        encode_ucs4(column, start, n, scratch, texts);
        return NULL;
    }
    if (allot_column_is_simple_text(column)) {
        int32_t bad;
        all_texts32((const int32_t *)column->values + column->offset + start, column->text, n,
                    texts, &bad);
        return bad < 0 ? DISORDERLY : NULL;
    }
    const char *wrong = NULL;
    for (int64_t i = 0; i < n && !wrong; i++) {
        if (allot_column_is_valid(column, start + i)) {
            wrong = text_at(column, start + i, own_of(scratch, i), &texts[i]);
        } else {
            texts[i] = (allot_text){NULL, 0};
        }
    }
    return wrong;
}

/* The whole numbers of rows none of which is null, without a question a row; false for others. */
static bool widen(const allot_column *column, int64_t start, int64_t n, uint64_t *restrict numbers)
{
#define WIDEN(is, type)                                                                            \
    case is:                                                                                       \
        for (int64_t i = 0; i < n; i++)                                                            \
            numbers[i] = (uint64_t)(int64_t)((const type *)column->values + from)[i];              \
        return true;
    const int64_t from = column->offset + start;
    switch (column->kind) {
        WIDEN(ALLOT_COLUMN_INT8, int8_t)
        WIDEN(ALLOT_COLUMN_INT16, int16_t)
        WIDEN(ALLOT_COLUMN_INT32, int32_t)
        WIDEN(ALLOT_COLUMN_INT64, int64_t)
        WIDEN(ALLOT_COLUMN_UINT8, uint8_t)
        WIDEN(ALLOT_COLUMN_UINT16, uint16_t)
        WIDEN(ALLOT_COLUMN_UINT32, uint32_t)
        WIDEN(ALLOT_COLUMN_UINT64, uint64_t)
    default: return false;
    }
#undef WIDEN
}

const char *allot_column_numbers(const allot_column *column, int64_t start, int64_t n,
                                 uint64_t *numbers, uint8_t *valid)
{
    assert(start >= 0 && n >= 0 && start + n <= column->rows);
    if (column->words) {
        for (int64_t i = 0; i < n; i++) {
            const int64_t word = word_at(column, start + i);
            if (word == -2) return allot_no_word;
            valid[i] = word >= 0;
            numbers[i] = word < 0 ? 0 : number_at(column->words, word);
        }
        return NULL;
    }
    if (allot_column_validity(column, start, n, valid)) {
        for (int64_t i = widen(column, start, n, numbers) ? n : 0; i < n; i++)
            numbers[i] = number_at(column, start + i);
    } else {
        for (int64_t i = 0; i < n; i++) numbers[i] = valid[i] ? number_at(column, start + i) : 0;
    }
    return NULL;
}

const char *allot_column_list(const allot_column *column, int64_t row, int64_t child_rows,
                              int64_t *from, int64_t *to, uint8_t *valid)
{
    assert(allot_column_rows(column) == ALLOT_ROWS_LIST);
    assert(row >= 0 && row < column->rows);
    *from = *to = 0;
    *valid = allot_column_is_valid(column, row);
    if (!*valid) return NULL;
    const int64_t i = column->offset + row;
    if (column->kind == ALLOT_COLUMN_LIST32) {
        const int32_t *offsets = column->values;
        *from = offsets[i];
        *to = offsets[i + 1];
    } else if (column->kind == ALLOT_COLUMN_LIST_FIXED) {
        if (column->width > 0 && i >= child_rows / column->width) return DISORDERLY;
        *from = i * column->width;
        *to = *from + column->width;
    } else {
        const int64_t *offsets = column->values;
        *from = offsets[i];
        *to = offsets[i + 1];
    }
    return *from < 0 || *to < *from || *to > child_rows ? DISORDERLY : NULL;
}
