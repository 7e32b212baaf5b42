/* Results as Arrow data: arrays that own everything they point at, so that they outlive the caller
 * and need no interpreter to be released. */
#ifndef ALLOT_EXPORT_H
#define ALLOT_EXPORT_H

#include "arrow.h"

/* The distinct texts a column of codes stands for: offsets[i] up to offsets[i + 1] of `text`. */
typedef struct {
    const uint8_t *text;
    const int32_t *offsets; /* count + 1, the first of them 0 */
    int32_t count;
} allot_names;

/* Fills `schema` and `array` with a dictionary<int16, utf8> array of `rows` codes, null where a
 * code is negative; every other one is below names->count. Both are released by their consumer.
 * Returns false, with nothing to release, where there is no memory. */
bool allot_export_column(const int16_t *codes, int64_t rows, const allot_names *names,
                         const char *name, struct ArrowSchema *schema, struct ArrowArray *array);

/* Fills `schema` and `array` with a struct array of `count` columns, which it takes over: they are
 * its own afterwards, or released where it returns false for a lack of memory. */
bool allot_export_table(struct ArrowSchema *schemas, struct ArrowArray *arrays, int64_t count,
                        int64_t rows, struct ArrowSchema *schema, struct ArrowArray *array);

#endif
