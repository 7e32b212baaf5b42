#include "export.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What an exported array holds: its buffers, and the structs of its children. */
typedef struct {
    const void *buffers[3];
    struct ArrowArray *children;
    struct ArrowArray **places;
} array_holdings;

typedef struct {
    char *name;
    struct ArrowSchema *children;
    struct ArrowSchema **places;
} schema_holdings;

static void release_array(struct ArrowArray *array)
{
    array_holdings *holdings = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++) {
        /* A consumer may have moved a child out; then it is not ours any more. */
        struct ArrowArray *child = array->children[i];
        if (child->release) child->release(child);
    }
    if (array->dictionary) {
        if (array->dictionary->release) array->dictionary->release(array->dictionary);
        free(array->dictionary);
    }
    for (int i = 0; i < 3; i++) free((void *)(uintptr_t)holdings->buffers[i]);
    free(holdings->children);
    free(holdings->places);
    free(holdings);
    array->release = NULL;
}

static void release_schema(struct ArrowSchema *schema)
{
    schema_holdings *holdings = schema->private_data;
    for (int64_t i = 0; i < schema->n_children; i++) {
        struct ArrowSchema *child = schema->children[i];
        if (child->release) child->release(child);
    }
    if (schema->dictionary) {
        if (schema->dictionary->release) schema->dictionary->release(schema->dictionary);
        free(schema->dictionary);
    }
    free(holdings->name);
    free(holdings->children);
    free(holdings->places);
    free(holdings);
    schema->release = NULL;
}

/* An array without children or dictionary, and room for `children` of them. */
static bool begin_array(struct ArrowArray *array, int64_t rows, int64_t buffers, int64_t children)
{
    array_holdings *holdings = calloc(1, sizeof *holdings);
    *array = (struct ArrowArray){0};
    if (!holdings) return false;
    *array = (struct ArrowArray){
        .length = rows,
        .n_buffers = buffers,
        .buffers = holdings->buffers,
        .release = release_array,
        .private_data = holdings,
    };
    if (children == 0) return true;
    holdings->children = calloc((size_t)children, sizeof *holdings->children);
    holdings->places = calloc((size_t)children, sizeof *holdings->places);
    return holdings->children && holdings->places;
}

static bool begin_schema(struct ArrowSchema *schema, const char *format, const char *name,
                         int64_t children)
{
    schema_holdings *holdings = calloc(1, sizeof *holdings);
    *schema = (struct ArrowSchema){0};
    if (!holdings) return false;
    const size_t size = strlen(name) + 1;
    holdings->name = malloc(size);
    *schema = (struct ArrowSchema){
        .format = format,
        .name = holdings->name,
        .flags = ARROW_FLAG_NULLABLE,
        .release = release_schema,
        .private_data = holdings,
    };
    if (!holdings->name) return false;
    memcpy(holdings->name, name, size);
    if (children == 0) return true;
    holdings->children = calloc((size_t)children, sizeof *holdings->children);
    holdings->places = calloc((size_t)children, sizeof *holdings->places);
    return holdings->children && holdings->places;
}

static void end(struct ArrowSchema *schema, struct ArrowArray *array)
{
    if (schema->release) schema->release(schema);
    if (array->release) array->release(array);
}

/* A copy in memory that is never NULL, so that a buffer of no bytes is a buffer too. */
static void *copy_of(const void *from, size_t size)
{
    void *copy = malloc(size + 1);
    return copy && size ? memcpy(copy, from, size) : copy;
}

static bool export_names(const allot_names *names, struct ArrowSchema *schema,
                         struct ArrowArray *array)
{
    assert(names->offsets[0] == 0 && names->count >= 0);
    if (!begin_schema(schema, "u", "", 0) || !begin_array(array, names->count, 3, 0)) return false;
    const size_t count = (size_t)names->count;
    array->buffers[1] = copy_of(names->offsets, (count + 1) * sizeof *names->offsets);
    array->buffers[2] = copy_of(names->text, (size_t)names->offsets[count]);
    return array->buffers[1] && array->buffers[2];
}

/* Codes and validity: a null row has code 0, since a consumer may read codes before validity. */
static bool export_codes(const int16_t *codes, int64_t rows, struct ArrowArray *array)
{
    int16_t *values = malloc((size_t)rows * sizeof *values + 1);
    uint8_t *validity = calloc((size_t)rows / 8 + 1, 1);
    array->buffers[0] = validity;
    array->buffers[1] = values;
    if (!values || !validity) return false;
    int64_t nulls = 0;
    for (int64_t i = 0; i < rows; i++) {
        const bool valid = codes[i] >= 0;
        values[i] = valid ? codes[i] : 0;
        validity[i >> 3] |= (uint8_t)(valid << (i & 7));
        nulls += !valid;
    }
    array->null_count = nulls;
    return true;
}

bool allot_export_column(const int16_t *codes, int64_t rows, const allot_names *names,
                         const char *name, struct ArrowSchema *schema, struct ArrowArray *array)
{
    *array = (struct ArrowArray){0};
    bool good = begin_schema(schema, "s", name, 0) && begin_array(array, rows, 2, 0) &&
                export_codes(codes, rows, array);
    if (good) {
        schema->dictionary = calloc(1, sizeof *schema->dictionary);
        array->dictionary = calloc(1, sizeof *array->dictionary);
        good = schema->dictionary && array->dictionary &&
               export_names(names, schema->dictionary, array->dictionary);
    }
    if (!good) end(schema, array);
    return good;
}

bool allot_export_table(struct ArrowSchema *schemas, struct ArrowArray *arrays, int64_t count,
                        int64_t rows, struct ArrowSchema *schema, struct ArrowArray *array)
{
    *array = (struct ArrowArray){0};
    if (!begin_schema(schema, "+s", "", count) || !begin_array(array, rows, 1, count)) {
        for (int64_t i = 0; i < count; i++) end(&schemas[i], &arrays[i]);
        end(schema, array);
        return false;
    }
    schema_holdings *types = schema->private_data;
    array_holdings *data = array->private_data;
    for (int64_t i = 0; i < count; i++) {
        types->children[i] = schemas[i];
        data->children[i] = arrays[i];
        types->places[i] = &types->children[i];
        data->places[i] = &data->children[i];
    }
    schema->flags = 0;
    schema->n_children = array->n_children = count;
    schema->children = types->places;
    array->children = data->places;
    return true;
}
