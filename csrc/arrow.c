#include "arrow.h"

#include <string.h>

/* What a type stands for; `buffers` counts the validity bitmap too. */
typedef struct {
    const char *format;
    allot_column_kind kind;
    int64_t buffers;
    int64_t children;
    int64_t width;
    int32_t scale;
} layout;

/* A view column has any number of blocks: its three fixed buffers are validity, views and sizes.
 * `_pli128` is how polars hands over its whole numbers of 128 bits. */
static const layout LAYOUTS[] = {
    {"n", ALLOT_COLUMN_NULLS, 0, 0, 0, 0},       {"b", ALLOT_COLUMN_BOOL, 2, 0, 0, 0},
    {"c", ALLOT_COLUMN_INT8, 2, 0, 0, 0},        {"C", ALLOT_COLUMN_UINT8, 2, 0, 0, 0},
    {"s", ALLOT_COLUMN_INT16, 2, 0, 0, 0},       {"S", ALLOT_COLUMN_UINT16, 2, 0, 0, 0},
    {"i", ALLOT_COLUMN_INT32, 2, 0, 0, 0},       {"I", ALLOT_COLUMN_UINT32, 2, 0, 0, 0},
    {"l", ALLOT_COLUMN_INT64, 2, 0, 0, 0},       {"L", ALLOT_COLUMN_UINT64, 2, 0, 0, 0},
    {"e", ALLOT_COLUMN_FLOAT16, 2, 0, 0, 0},     {"f", ALLOT_COLUMN_FLOAT32, 2, 0, 0, 0},
    {"g", ALLOT_COLUMN_FLOAT64, 2, 0, 0, 0},     {"_pli128", ALLOT_COLUMN_DECIMAL, 2, 0, 16, 0},
    {"u", ALLOT_COLUMN_TEXT32, 3, 0, 0, 0},      {"U", ALLOT_COLUMN_TEXT64, 3, 0, 0, 0},
    {"z", ALLOT_COLUMN_TEXT32, 3, 0, 0, 0},      {"Z", ALLOT_COLUMN_TEXT64, 3, 0, 0, 0},
    {"vu", ALLOT_COLUMN_VIEWS, 3, 0, 0, 0},      {"vz", ALLOT_COLUMN_VIEWS, 3, 0, 0, 0},
    {"tdD", ALLOT_COLUMN_DAYS, 2, 0, 0, 0},      {"tdm", ALLOT_COLUMN_DATE, 2, 0, 1000, 0},
    {"tts", ALLOT_COLUMN_TIME, 2, 0, 1, 0},      {"ttm", ALLOT_COLUMN_TIME, 2, 0, 1000, 0},
    {"ttu", ALLOT_COLUMN_TIME, 2, 0, 1000000, 0}, {"ttn", ALLOT_COLUMN_TIME, 2, 0, 1000000000, 0},
    {"+l", ALLOT_COLUMN_LIST32, 2, 1, 0, 0},     {"+L", ALLOT_COLUMN_LIST64, 2, 1, 0, 0},
    {"+s", ALLOT_COLUMN_STRUCT, 1, -1, 0, 0},
};

/* Whether a type says that it is the extension of that name. Metadata is a count of pairs of texts,
 * each after its size, as int32; how many bytes all of it has is nowhere said. */
static bool is_extension(const struct ArrowSchema *schema, const char *name)
{
    static const char KEY[] = "ARROW:extension:name";
    const char *at = schema->metadata;
    const size_t name_size = strlen(name);
    int32_t pairs, size;
    if (!at) return false;
    memcpy(&pairs, at, 4);
    at += 4;
    for (; pairs > 0; pairs--) {
        memcpy(&size, at, 4);
        if (size < 0) return false;
        const bool is_name =
            (size_t)size == sizeof KEY - 1 && memcmp(at + 4, KEY, sizeof KEY - 1) == 0;
        at += 4 + size;
        memcpy(&size, at, 4);
        if (size < 0) return false;
        if (is_name) return (size_t)size == name_size && memcmp(at + 4, name, name_size) == 0;
        at += 4 + size;
    }
    return false;
}

/* The whole number that all of a text is, or the one before a comma; -1 where it is none that fits
 * an int32. `rest` is what follows the comma, or NULL. */
static int64_t number_in(const char *text, const char **rest)
{
    int64_t number = 0;
    *rest = NULL;
    if (*text < '0' || *text > '9') return -1;
    for (; *text >= '0' && *text <= '9'; text++) {
        number = number * 10 + (*text - '0');
        if (number > INT32_MAX) return -1;
    }
    if (*text == ',') *rest = text + 1;
    return *text == 0 || *rest ? number : -1;
}

/* d:PRECISION,SCALE or d:PRECISION,SCALE,BITS */
static bool read_decimal(const char *text, layout *out)
{
    const char *rest;
    if (number_in(text, &rest) < 0 || !rest) return false;
    const bool negative = *rest == '-';
    const int64_t scale = number_in(rest + negative, &rest);
    const int64_t bits = rest ? number_in(rest, &rest) : 128;
    if (scale < 0 || rest || (bits != 32 && bits != 64 && bits != 128 && bits != 256)) return false;
    *out = (layout){"d", ALLOT_COLUMN_DECIMAL, 2, 0, bits / 8,
                    (int32_t)(negative ? -scale : scale)};
    return true;
}

static int64_t parts_of_a_second(char unit)
{
    switch (unit) {
    case 's': return 1;
    case 'm': return 1000;
    case 'u': return 1000000;
    case 'n': return 1000000000;
    default: return 0;
    }
}

static bool read_type(const struct ArrowSchema *schema, layout *out)
{
    const char *format = schema->format, *rest;
    if (strcmp(format, "w:16") == 0 && is_extension(schema, "arrow.uuid")) {
        *out = (layout){"w", ALLOT_COLUMN_UUID, 2, 0, 0, 0};
        return true;
    }
    if (strcmp(format, "c") == 0 && is_extension(schema, "arrow.bool8")) {
        *out = (layout){"c", ALLOT_COLUMN_BYTES_BOOL, 2, 0, 0, 0};
        return true;
    }
    if (strncmp(format, "d:", 2) == 0) return read_decimal(format + 2, out);
    if (strncmp(format, "ts", 2) == 0 && parts_of_a_second(format[2]) && format[3] == ':') {
        const allot_column_kind kind = format[4] ? ALLOT_COLUMN_INSTANT : ALLOT_COLUMN_MOMENT;
        *out = (layout){"ts", kind, 2, 0, parts_of_a_second(format[2]), 0};
        return true;
    }
    if (strncmp(format, "+w:", 3) == 0) {
        const int64_t width = number_in(format + 3, &rest);
        *out = (layout){"+w", ALLOT_COLUMN_LIST_FIXED, 1, 1, width, 0};
        return width >= 0 && !rest;
    }
    for (size_t i = 0; i < sizeof LAYOUTS / sizeof *LAYOUTS; i++) {
        if (strcmp(LAYOUTS[i].format, format) == 0) {
            *out = LAYOUTS[i];
            return true;
        }
    }
    return false;
}

const char allot_arrow_no_type[] = "is of a type that nothing reads";

static bool is_count(int64_t number) { return number >= 0 && number <= ALLOT_COLUMN_ROWS_MAX; }

static const char *check_shape(const struct ArrowSchema *schema, const struct ArrowArray *array,
                               const layout *layout)
{
    if (!is_count(array->length) || !is_count(array->offset))
        return "has a negative or impossible length or offset";
    if (array->null_count < -1 || array->null_count > array->length)
        return "has an impossible count of nulls";
    /* Some producers give nulls a bitmap, which says nothing. */
    const bool more = layout->kind == ALLOT_COLUMN_VIEWS ||
                      (layout->kind == ALLOT_COLUMN_NULLS && array->n_buffers == 1);
    if (more ? array->n_buffers < layout->buffers : array->n_buffers != layout->buffers)
        return "has another number of buffers than its type";
    if (array->n_buffers > 0 && !array->buffers) return "has no buffers";
    if (array->n_children != schema->n_children || array->n_children < 0 ||
        (layout->children >= 0 && array->n_children != layout->children))
        return "has another number of children than its type";
    if (array->n_children > 0 && (!array->children || !schema->children)) return "has no children";
    for (int64_t i = 0; i < array->n_children; i++) {
        if (!array->children[i] || !schema->children[i]) return "has a child that is missing";
    }
    return NULL;
}

static const char *read_buffers(const struct ArrowArray *array, const layout *layout,
                                allot_column *column)
{
    if (layout->kind == ALLOT_COLUMN_NULLS) return NULL;
    column->validity = array->null_count == 0 ? NULL : array->buffers[0];
    if (array->null_count > 0 && !array->buffers[0]) return "has nulls but no validity bitmap";
    if (layout->buffers == 1) return NULL;

    column->values = array->buffers[1];
    if (!column->values && array->length > 0) return "has rows but no values";
    if (layout->kind == ALLOT_COLUMN_TEXT32 || layout->kind == ALLOT_COLUMN_TEXT64)
        column->text = array->buffers[2];
    if (layout->kind == ALLOT_COLUMN_VIEWS) {
        column->block_count = array->n_buffers - 3;
        column->blocks = (const void *const *)(array->buffers + 2);
        column->block_sizes = array->buffers[array->n_buffers - 1];
        if (column->block_count > 0 && !column->block_sizes)
            return "has blocks of text but not their sizes";
    }
    return NULL;
}

/* One array without its dictionary. */
static const char *read_plain(const struct ArrowSchema *schema, const struct ArrowArray *array,
                              allot_column *column)
{
    if (!schema->release || !array->release) return "is released already";
    if (!schema->format) return "has no type";
    layout layout;
    if (!read_type(schema, &layout)) return allot_arrow_no_type;
    const char *wrong = check_shape(schema, array, &layout);
    if (wrong) return wrong;
    *column = (allot_column){
        .kind = layout.kind,
        .rows = array->length,
        .offset = array->offset,
        .width = layout.width,
        .scale = layout.scale,
    };
    return read_buffers(array, &layout, column);
}

const char *allot_arrow_read(const struct ArrowSchema *schema, const struct ArrowArray *array,
                             allot_column *column, allot_column *words)
{
    const char *wrong = read_plain(schema, array, column);
    if (wrong) return wrong;
    if (!schema->dictionary != !array->dictionary)
        return "has a dictionary in its schema or its data only";
    if (!array->dictionary) return NULL;

    if (column->kind < ALLOT_COLUMN_INT8 || column->kind > ALLOT_COLUMN_UINT64)
        return "has a dictionary under something else than whole numbers";
    if (schema->dictionary->dictionary) return "has a dictionary of a dictionary";
    wrong = read_plain(schema->dictionary, array->dictionary, words);
    if (wrong) return wrong;
    if (words->kind >= ALLOT_COLUMN_LIST32) return "has a dictionary of lists or structs";
    column->words = words;
    return NULL;
}

const char *allot_arrow_child(const struct ArrowSchema *schema, const struct ArrowArray *array,
                              const allot_column *parent, int64_t child, allot_column *column,
                              allot_column *words)
{
    if (parent->kind < ALLOT_COLUMN_LIST32 || child < 0 || child >= array->n_children)
        return "has no such child";
    const char *wrong = allot_arrow_read(schema->children[child], array->children[child], column,
                                         words);
    if (wrong || parent->kind != ALLOT_COLUMN_STRUCT) return wrong;
    if (column->rows < parent->offset + parent->rows) return "has fewer rows than its struct";
    column->rows = parent->rows;
    column->offset += parent->offset;
    return NULL;
}

int64_t allot_arrow_child_named(const struct ArrowSchema *schema, const char *name)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        const struct ArrowSchema *child = schema->children ? schema->children[i] : NULL;
        if (child && child->release && child->name && strcmp(child->name, name) == 0) return i;
    }
    return -1;
}
