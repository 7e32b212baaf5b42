/* Bytes to Arrow arrays, whose buffers are exactly as long as what they say of themselves needs, so
 * that any read past it is seen: whatever the reader accepts, units and attributes of it are read
 * block by block. */
#include "../arrow.h"
#include "../batch.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 300, BUFFERS = 6, TEXT = 512 };

typedef struct {
    const uint8_t *at;
    size_t left;
} source;

static void take(source *from, void *into, size_t size)
{
    const size_t some = size < from->left ? size : from->left;
    memset(into, 0, size);
    if (some) memcpy(into, from->at, some);
    from->at += some;
    from->left -= some;
}

static uint32_t take_below(source *from, uint32_t bound)
{
    uint16_t number;
    take(from, &number, sizeof number);
    return number % bound;
}

static void release_array(struct ArrowArray *array) { array->release = NULL; }
static void release_schema(struct ArrowSchema *schema) { schema->release = NULL; }

/* An array, its type, and the buffers it owns. */
typedef struct {
    struct ArrowSchema schema, *child_schemas[1];
    struct ArrowArray array, *child_arrays[1];
    const void *buffers[BUFFERS];
} made;

static const char *const FORMATS[] = {"u", "U", "z", "Z", "vu", "vz", "b", "c", "C", "s", "S", "i",
                                      "I", "l", "L", "f", "g", "n", "+l", "+L", "+s", "w:16", "",
                                      "e", "d:9,2,32", "d:18,0,64", "d:38,-3", "d:76,9,256",
                                      "d:38,0,12", "d:", "tdD", "tdm", "tts", "ttm", "ttu", "ttn",
                                      "tss:", "tsm:UTC", "tsu:", "tsn:Europe/Oslo", "tsx:", "tDs",
                                      "+w:3", "+w:0", "+w:2147483647", "+w:x", "_pli128"};
enum { FORMATS_COUNT = sizeof FORMATS / sizeof *FORMATS };

static void *buffer_of(source *from, size_t size)
{
    void *buffer = malloc(size ? size : 1);
    if (!buffer) abort();
    take(from, buffer, size);
    return buffer;
}

/* Extension names, as metadata has them: one pair, or two of which the other says nothing. */
#define NAME "\x14\0\0\0ARROW:extension:name"
static const char UUID[] = "\1\0\0\0" NAME "\x0a\0\0\0" "arrow.uuid";
static const char BOOL8[] = "\2\0\0\0" "\1\0\0\0" "k" "\0\0\0\0" NAME "\x0b\0\0\0" "arrow.bool8";
static const char BROKEN[] = "\1\0\0\0\xff\xff\xff\xff";

/* The bytes of buffer 1 for `rows` rows of a type. */
static size_t values_bytes(const char *format, size_t rows)
{
    switch (format[0]) {
    case 'u':
    case 'z': return (rows + 1) * 4;
    case 'U':
    case 'Z': return (rows + 1) * 8;
    case 'v': return rows * 16;
    case 'b': return (rows + 7) / 8;
    case 'c':
    case 'C': return rows;
    case 's':
    case 'S': return rows * 2;
    case 'i':
    case 'I':
    case 'f': return rows * 4;
    case 'e': return rows * 2;
    case 'w':
    case '_': return rows * 16;
    case 'd': return rows * (strstr(format, ",256") ? 32 : strstr(format, ",64")   ? 8
                             : strstr(format, ",32") ? 4 : 16);
    case '+': return format[1] == 'l' ? (rows + 1) * 4 : format[1] == 'L' ? (rows + 1) * 8 : 0;
    default: return rows * 8;
    }
}

/* Offsets are small and mostly rise, or nothing but their first would ever be read. They may point
 * up to TEXT, which is what a producer has to have there: its size is nowhere said. */
static void make_offsets(source *from, void *offsets, size_t rows, bool wide)
{
    int64_t edge = 0;
    for (size_t i = 0; i <= rows; i++) {
        const uint32_t step = take_below(from, 64);
        edge = step == 63 ? -1 : step == 62 ? edge - 3 : edge + step % 8;
        if (edge > TEXT) edge = TEXT;
        const int32_t narrow = (int32_t)edge;
        memcpy((uint8_t *)offsets + i * (wide ? 8 : 4), wide ? (void *)&edge : (void *)&narrow,
               wide ? 8 : 4);
    }
}

/* Text views that mostly point into their two blocks of 64 and 16 bytes. */
static void make_views(source *from, uint8_t *views, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        int32_t view[4] = {(int32_t)take_below(from, 40), 0, (int32_t)take_below(from, 4) - 1,
                           (int32_t)take_below(from, 70) - 2};
        if (view[0] == 39) view[0] = -1;
        if (view[0] <= 12) take(from, &view[1], 12);
        memcpy(views + 16 * i, view, 16);
    }
}

static void make_buffers(source *from, made *it, const char *format, size_t rows, size_t bits)
{
    struct ArrowArray *array = &it->array;
    if (take_below(from, 4)) it->buffers[0] = buffer_of(from, (bits + 7) / 8);
    const bool bare = format[0] == '+' && (format[1] == 's' || format[1] == 'w');
    array->n_buffers = format[0] == 'n' ? take_below(from, 2) : bare ? 1 : 2;
    if (array->n_buffers < 2) return;
    const size_t size = format[0] == 'b' ? (bits + 7) / 8 : values_bytes(format, rows);
    uint8_t *values = buffer_of(from, size);
    it->buffers[1] = values;
    if (strchr("uUzZ", format[0]) && format[0]) {
        make_offsets(from, values, rows, format[0] == 'U' || format[0] == 'Z');
        it->buffers[2] = buffer_of(from, TEXT);
        array->n_buffers = 3;
    } else if (format[0] == '+') {
        make_offsets(from, values, rows, format[1] == 'L');
    } else if (format[0] == 'v') {
        const int64_t sizes[] = {64, 16};
        make_views(from, values, rows);
        it->buffers[2] = buffer_of(from, 64);
        it->buffers[3] = buffer_of(from, 16);
        it->buffers[4] = memcpy(buffer_of(from, sizeof sizes), sizes, sizeof sizes);
        array->n_buffers = 5;
    }
}

static void make(source *from, made *it)
{
    const char *format = FORMATS[take_below(from, FORMATS_COUNT)];
    const size_t rows = take_below(from, ROWS), offset = take_below(from, 20);
    *it = (made){0};
    const char *const metadata[] = {NULL, UUID, BOOL8, BROKEN};
    it->schema = (struct ArrowSchema){.format = format, .name = "x", .release = release_schema,
                                      .metadata = metadata[take_below(from, 4)]};
    it->array = (struct ArrowArray){.length = (int64_t)rows, .offset = (int64_t)offset,
                                    .null_count = (int64_t)take_below(from, 3) - 1,
                                    .buffers = it->buffers, .release = release_array};
    make_buffers(from, it, format, rows + offset, rows + offset);
    /* Now and then one thing about it is another than it should be. */
    switch (take_below(from, 40)) {
    case 0:
        /* One buffer less would take the content of the last block for the sizes of the blocks, a
         * lie that no reader can see: the size of a buffer is nowhere said. */
        if (format[0] != 'v') it->array.n_buffers = (int64_t)take_below(from, BUFFERS + 1);
        break;
    case 1: it->array.length = -1; break;
    case 2: it->array.offset = -(int64_t)take_below(from, 9); break;
    case 3: it->array.release = NULL; break;
    case 4: it->array.buffers = NULL; break;
    case 5: it->array.n_children = 1; break;
    case 6: it->array.null_count = INT64_MIN; break;
    case 7: it->array.length = INT64_MAX; break;
    default: break;
    }
}

static void free_made(made *it)
{
    for (int i = 0; i < BUFFERS; i++) free((void *)(uintptr_t)it->buffers[i]);
}

static void add_child(made *parent, made *child)
{
    parent->child_schemas[0] = &child->schema;
    parent->child_arrays[0] = &child->array;
    parent->schema.n_children = parent->array.n_children = 1;
    parent->schema.children = parent->child_schemas;
    parent->array.children = parent->child_arrays;
}

/* Reads every row as units, as attributes and as lists. */
static void read_all(const allot_column *column, const allot_column *veil)
{
    static allot_space space;
    static uint8_t scratch[ALLOT_SCRATCH_BYTES];
    space.scratch = scratch;
    static uint64_t h1[ALLOT_BLOCK_ROWS], h2[ALLOT_BLOCK_ROWS];
    static uint8_t ok[ALLOT_BLOCK_ROWS];
    static uint32_t codes[ALLOT_BLOCK_ROWS];
    const int64_t starts[] = {0, column->rows};
    const allot_pieces pieces = {column, veil, starts, 1, veil ? 1 : 0};
    allot_intern intern;
    if (column->rows == 0 || !allot_intern_init(&intern, (allot_seed){1, 2})) return;
    allot_units_read(&pieces, 0, column->rows, &space, h1, h2, ok, NULL, 0);
    static uint32_t word_codes[ALLOT_BLOCK_ROWS], again[ALLOT_BLOCK_ROWS];
    allot_words words = {NULL, word_codes, column->words ? ALLOT_BLOCK_ROWS : 0}, none = {0};
    const char *wrong = allot_field_read(&pieces, 0, column->rows, &space, &intern, &words, codes);
    if (!wrong) {
        for (int64_t i = 0; i < column->rows; i++)
            if (codes[i] > intern.count) abort();
    }
    /* Read row by row, it is the same. */
    if (!wrong != !allot_field_read(&pieces, 0, column->rows, &space, &intern, &none, again))
        abort();
    if (!wrong && memcmp(codes, again, (size_t)column->rows * sizeof *codes) != 0) abort();
    if (allot_column_rows(column) == ALLOT_ROWS_LIST) {
        for (int64_t row = 0; row < column->rows; row++) {
            int64_t start, stop;
            uint8_t valid;
            if (!allot_column_list(column, row, TEXT / 2, &start, &stop, &valid) &&
                (start < 0 || stop < start || stop > TEXT / 2))
                abort();
        }
    }
    allot_intern_free(&intern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    source from = {data, size};
    made one, other;
    make(&from, &one);
    make(&from, &other);
    const uint32_t together = take_below(&from, 3);
    if (together == 1) {
        one.schema.dictionary = &other.schema;
        one.array.dictionary = &other.array;
    } else if (together == 2) {
        add_child(&one, &other);
    }
    allot_column column, words, child, child_words;
    if (!allot_arrow_read(&one.schema, &one.array, &column, &words)) {
        if (together == 2 && column.kind >= ALLOT_COLUMN_LIST32) {
            if (!allot_arrow_child(&one.schema, &one.array, &column, 0, &child, &child_words))
                read_all(&child, column.kind == ALLOT_COLUMN_STRUCT ? &column : NULL);
        }
        read_all(&column, NULL);
    }
    free_made(&one);
    free_made(&other);
    return 0;
}
