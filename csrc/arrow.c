#include "arrow.h"

#include <string.h>

/* What a format string stands for; `buffers` counts the validity bitmap too. */
typedef struct {
    const char *format;
    allot_column_kind kind;
    int64_t buffers;
    int64_t children;
} layout;

/* A view column has any number of blocks: its three fixed buffers are validity, views and sizes. */
static const layout LAYOUTS[] = {
    {"n", ALLOT_COLUMN_NULLS, 0, 0},   {"b", ALLOT_COLUMN_BOOL, 2, 0},
    {"c", ALLOT_COLUMN_INT8, 2, 0},    {"C", ALLOT_COLUMN_UINT8, 2, 0},
    {"s", ALLOT_COLUMN_INT16, 2, 0},   {"S", ALLOT_COLUMN_UINT16, 2, 0},
    {"i", ALLOT_COLUMN_INT32, 2, 0},   {"I", ALLOT_COLUMN_UINT32, 2, 0},
    {"l", ALLOT_COLUMN_INT64, 2, 0},   {"L", ALLOT_COLUMN_UINT64, 2, 0},
    {"f", ALLOT_COLUMN_FLOAT32, 2, 0}, {"g", ALLOT_COLUMN_FLOAT64, 2, 0},
    {"u", ALLOT_COLUMN_TEXT32, 3, 0},  {"U", ALLOT_COLUMN_TEXT64, 3, 0},
    {"z", ALLOT_COLUMN_TEXT32, 3, 0},  {"Z", ALLOT_COLUMN_TEXT64, 3, 0},
    {"vu", ALLOT_COLUMN_VIEWS, 3, 0},  {"vz", ALLOT_COLUMN_VIEWS, 3, 0},
    {"+l", ALLOT_COLUMN_LIST32, 2, 1}, {"+L", ALLOT_COLUMN_LIST64, 2, 1},
    {"+s", ALLOT_COLUMN_STRUCT, 1, -1},
};

static const layout *layout_of(const char *format)
{
    for (size_t i = 0; i < sizeof LAYOUTS / sizeof *LAYOUTS; i++) {
        if (strcmp(LAYOUTS[i].format, format) == 0) return &LAYOUTS[i];
    }
    return NULL;
}

static bool is_count(int64_t number) { return number >= 0 && number <= ALLOT_COLUMN_ROWS_MAX; }

static const char *check_shape(const struct ArrowSchema *schema, const struct ArrowArray *array,
                               const layout *layout)
{
    if (!is_count(array->length) || !is_count(array->offset))
        return "has a negative or impossible length or offset";
    if (array->null_count < -1 || array->null_count > array->length)
        return "has an impossible count of nulls";
    const bool views = layout->kind == ALLOT_COLUMN_VIEWS;
    if (views ? array->n_buffers < layout->buffers : array->n_buffers != layout->buffers)
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
    if (layout->kind == ALLOT_COLUMN_STRUCT) return NULL;

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
    const layout *layout = layout_of(schema->format);
    if (!layout)
        return "has an Arrow type that is neither text, a whole number, a float, a boolean, "
               "a list nor a struct";
    const char *wrong = check_shape(schema, array, layout);
    if (wrong) return wrong;
    *column = (allot_column){
        .kind = layout->kind,
        .rows = array->length,
        .offset = array->offset,
    };
    return read_buffers(array, layout, column);
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
