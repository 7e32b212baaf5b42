/* Bytes as a JSON document: what is found in it lies in it, and reads alike in one go and in parts;
 * how much it holds is the same however it is cut. */
#include "../json_ids.h"
#include "../json_shape.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 64 };

static void expect(bool condition)
{
    if (!condition) abort();
}

/* A byte at a time, and with no word of eight or sixteen. */
static allot_json_shape slowly(const uint8_t *data, size_t size)
{
    allot_json_shape shape = {0};
    for (size_t i = 0; i < size; i++) allot_json_shape_feed(&shape, data + i, 1);
    return shape;
}

static void look(const allot_json_ids *ids, int64_t rows, size_t bytes)
{
    uint8_t views[ROOM * 16];
    size_t at = ids->begin + 1;
    uint64_t count = 0;
    for (int64_t n; (n = allot_json_ids_views(ids, &at, rows, bytes, views)) > 0;) {
        for (int64_t i = 0; i < n; i++, count++) {
            int32_t view[4];
            memcpy(view, views + 16 * i, sizeof view);
            expect(view[0] >= 0);
            if (count < ids->room) expect(memcmp(views + 16 * i, ids->views + 16 * count, 16) == 0);
            if (view[0] <= 12) continue;
            expect((size_t)view[3] > ids->begin && (size_t)view[3] + (size_t)view[0] < ids->end);
            const uint8_t *from = ids->text + view[3];
            expect(from[-1] == '"' && from[view[0]] == '"');
            expect(!memchr(from, '"', (size_t)view[0]) && !memchr(from, '\\', (size_t)view[0]));
        }
    }
    expect(count == ids->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t views[ROOM * 16], *text = malloc(size ? size : 1);
    if (!text) abort();
    if (size) memcpy(text, data, size);
    allot_json_shape shape = {0};
    allot_json_shape_feed(&shape, text, size);
    const allot_json_shape same = slowly(text, size);
    expect(shape.values == same.values && shape.deepest == same.deepest &&
           shape.within == same.within && shape.depth == same.depth &&
           shape.crowded == same.crowded);
    allot_json_ids ids = {.text = text, .size = size, .views = views, .room = ROOM};
    if (allot_json_ids_find(&ids, "u")) {
        expect(text[ids.begin] == '[' && text[ids.end - 1] == ']');
        look(&ids, ROOM, SIZE_MAX);
        look(&ids, 3, 10);
        look(&ids, 1, 1);
    }
    free(text);
    return 0;
}
