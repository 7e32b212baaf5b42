/* A column of a batch: a view of rows that its maker owns, in one of a few layouts.
 *
 * Arrow arrays (arrow.h) and numpy arrays both become this. The accessors below are the only
 * readers of its buffers: they work on blocks of rows, and check offsets before they use them.
 */
#ifndef ALLOT_COLUMN_H
#define ALLOT_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    ALLOT_COLUMN_NULLS, /* no buffers: every row is null */
    ALLOT_COLUMN_BOOL,  /* one bit a row */
    ALLOT_COLUMN_BYTES_BOOL, /* one byte a row */
    ALLOT_COLUMN_INT8,
    ALLOT_COLUMN_INT16,
    ALLOT_COLUMN_INT32,
    ALLOT_COLUMN_INT64,
    ALLOT_COLUMN_UINT8,
    ALLOT_COLUMN_UINT16,
    ALLOT_COLUMN_UINT32,
    ALLOT_COLUMN_UINT64,
    ALLOT_COLUMN_FLOAT16,
    ALLOT_COLUMN_FLOAT32,
    ALLOT_COLUMN_FLOAT64,
    ALLOT_COLUMN_TEXT32, /* rows + 1 int32 offsets into `text` */
    ALLOT_COLUMN_TEXT64, /* rows + 1 int64 offsets into `text` */
    ALLOT_COLUMN_VIEWS,  /* 16-byte views: up to 12 bytes inline, else a place in a block */
    ALLOT_COLUMN_FIXED,  /* `width` bytes a row, ended early by trailing NULs */
    ALLOT_COLUMN_UCS4,   /* `width` 4-byte code points a row, ended early by trailing NULs */
    ALLOT_COLUMN_UUID,   /* 16 bytes a row; these and the ones below are spelled (spell.h) */
    ALLOT_COLUMN_DECIMAL, /* a number of `width` bytes, of which `scale` digits are a fraction */
    ALLOT_COLUMN_DAYS,    /* int32 days since 1970 */
    ALLOT_COLUMN_DATE,    /* int64 parts of a second since 1970, `width` a second: the day alone */
    ALLOT_COLUMN_TIME,    /* the same since midnight; int32 where they are milliseconds or more */
    ALLOT_COLUMN_MOMENT,  /* int64 parts of a second since 1970, on some clock */
    ALLOT_COLUMN_INSTANT, /* the same in UTC */
    ALLOT_COLUMN_LIST32, /* rows + 1 int32 offsets into a child */
    ALLOT_COLUMN_LIST64,
    ALLOT_COLUMN_LIST_FIXED, /* `width` rows of a child each */
    ALLOT_COLUMN_STRUCT, /* nothing but validity */
} allot_column_kind;

/* How the rows of a column are to be taken, whatever their width. */
typedef enum {
    ALLOT_ROWS_NONE,
    ALLOT_ROWS_BOOL,
    ALLOT_ROWS_SIGNED,
    ALLOT_ROWS_UNSIGNED,
    ALLOT_ROWS_FLOAT,
    ALLOT_ROWS_TEXT,
    ALLOT_ROWS_DECIMAL, /* as a text that spells it */
    ALLOT_ROWS_MOMENT,  /* a date, a time or both, as text */
    ALLOT_ROWS_LIST,
    ALLOT_ROWS_STRUCT,
} allot_rows;

typedef struct allot_column {
    allot_column_kind kind;
    int64_t rows;
    int64_t offset;          /* in rows: where the view begins within its buffers */
    const uint8_t *validity; /* one bit a row, or NULL: no row is null */
    const void *values;      /* numbers, bits, offsets, views, fixed texts */
    const uint8_t *text;     /* TEXT32 and TEXT64 */
    const void *const *blocks;  /* VIEWS */
    const int64_t *block_sizes; /* VIEWS: in bytes */
    int64_t block_count;        /* VIEWS */
    int64_t width;              /* FIXED, DECIMAL: bytes; UCS4: code points; a list: rows; a time:
                                   parts of a second */
    int32_t scale;              /* DECIMAL */
    const struct allot_column *words; /* not NULL: the numbers are positions in it */
} allot_column;

/* A text somewhere in a column's buffers; `at` is NULL where the row is null. */
typedef struct {
    const uint8_t *at;
    size_t size;
} allot_text;

/* More rows than any machine holds; keeps every sum of two of them within int64. */
#define ALLOT_COLUMN_ROWS_MAX (INT64_C(1) << 48)

/* Wider numpy text is read through Python: a block of it would not fit the scratch. */
#define ALLOT_UCS4_WIDTH_MAX 256

/* The rows of one pass over a block; digests and draws of a block stay in the first two caches. */
#define ALLOT_BLOCK_ROWS 1024

/* Where the UCS4 texts of a block are encoded. */
#define ALLOT_SCRATCH_BYTES ((size_t)ALLOT_BLOCK_ROWS * ALLOT_UCS4_WIDTH_MAX * 4)

/* The sentence about a position that is none of the dictionary. */
extern const char allot_no_word[];

/* How rows of `column` are to be taken: those of a dictionary are those of its words. */
allot_rows allot_column_rows(const allot_column *column);

/* Writes 1 for each valid row of [start, start + n), else 0, considering the column's own bitmap
 * only; returns whether all of them are valid. */
bool allot_column_validity(const allot_column *column, int64_t start, int64_t n, uint8_t *valid);

/* Whether texts of the column are written to a scratch, since they do not lie in its buffers. */
bool allot_column_is_spelled(const allot_column *column);

/* The texts of rows [start, start + n); n <= ALLOT_BLOCK_ROWS. `scratch` holds
 * ALLOT_SCRATCH_BYTES and is used by columns that are spelled only. A text is not yet checked to be
 * UTF-8, except that UCS4 which is no Unicode, and what has no text, come out as the one byte 0xFF,
 * which is not UTF-8 either.
 * Returns NULL, or a sentence that says what is malformed. */
const char *allot_column_texts(const allot_column *column, int64_t start, int64_t n,
                               uint8_t *scratch, allot_text *texts);

/* The numbers of rows [start, start + n), widened to 64 bits: two's complement, or the bits of a
 * double; booleans are 0 and 1. A null row has valid[i] 0 and number 0.
 * Returns NULL, or a sentence that says what is malformed. */
const char *allot_column_numbers(const allot_column *column, int64_t start, int64_t n,
                                 uint64_t *numbers, uint8_t *valid);

/* The child's rows that belong to list row `row`: [*from, *to). Both are 0 where the row is null.
 * Returns NULL, or a sentence that says what is malformed. */
const char *allot_column_list(const allot_column *column, int64_t row, int64_t child_rows,
                              int64_t *from, int64_t *to, uint8_t *valid);

/* The usual text: int32 offsets, and no row is null. */
static inline bool allot_column_is_simple_text(const allot_column *column)
{
    return column->kind == ALLOT_COLUMN_TEXT32 && !column->validity && column->text &&
           !column->words;
}

static inline bool allot_column_is_valid(const allot_column *column, int64_t row) {
    if (column->kind == ALLOT_COLUMN_NULLS) return false;
    if (!column->validity) return true;
    const int64_t bit = column->offset + row;
    return column->validity[bit >> 3] >> (bit & 7) & 1;
}

#endif
