/* The Arrow C data interface, and a reader of it that trusts nothing it can check.
 *
 * The three structs are the public ABI, and the guards the ones that its specification asks for:
 * https://arrow.apache.org/docs/format/CDataInterface.html and CStreamInterface.html.
 */
#ifndef ALLOT_ARROW_H
#define ALLOT_ARROW_H

#include <stdint.h>

#include "column.h"

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};
#endif

/* The sentence for a type that has no place in the table of docs/values.md. */
extern const char allot_arrow_no_type[];

/* Reads `array`, described by `schema`, as a column; where it is dictionary-encoded the words are
 * read into `words`, which `column` then points at. Nothing is copied: both views live as long as
 * the array does.
 *
 * Returns NULL, or a sentence that says what is wrong with the array, to be put after its name;
 * then the views are not to be used. What the buffers hold is checked later, as it is read
 * (column.h): an array of a billion rows is not walked twice.
 */
const char *allot_arrow_read(const struct ArrowSchema *schema, const struct ArrowArray *array,
                             allot_column *column, allot_column *words);

/* The same for child number `child` of a struct or a list whose own view is `parent`: a struct's
 * child is cut to the struct's rows, a list's child is whole. */
const char *allot_arrow_child(const struct ArrowSchema *schema, const struct ArrowArray *array,
                              const allot_column *parent, int64_t child, allot_column *column,
                              allot_column *words);

/* The position of the child called `name`, or -1. The first wins where a name is repeated. The
 * schema's count of children is believed: allot_arrow_read compares it with the data's before. */
int64_t allot_arrow_child_named(const struct ArrowSchema *schema, const char *name);

#endif
