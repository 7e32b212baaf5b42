/* Lists of plain texts in JSON documents: what is one, and what of it the views show. */
#include "../json_ids.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A document in memory of just its size, and its list with room for views of two texts. */
typedef struct {
    uint8_t *text, views[2 * 16];
    allot_json_ids ids;
    bool found;
} document;

static document read(const char *text)
{
    document it = {0};
    const size_t size = strlen(text);
    it.text = malloc(size ? size : 1);
    if (!it.text) abort();
    memcpy(it.text, text, size);
    it.ids = (allot_json_ids){.text = it.text, .size = size, .views = it.views, .room = 2};
    it.found = allot_json_ids_find(&it.ids, "units");
    return it;
}

/* The texts of a list, each in brackets, as views of so many rows and bytes at a time show them. */
static void shown(const document *it, int64_t rows, size_t bytes, char *out)
{
    uint8_t views[8 * 16];
    size_t at = it->ids.begin + 1;
    for (int64_t n; (n = allot_json_ids_views(&it->ids, &at, rows, bytes, views)) > 0;) {
        for (int64_t i = 0; i < n; i++) {
            int32_t view[4];
            memcpy(view, views + 16 * i, sizeof view);
            const uint8_t *from = view[0] <= 12 ? views + 16 * i + 4 : it->text + view[3];
            out += sprintf(out, "[%.*s]", (int)view[0], (const char *)from);
        }
    }
    *out = 0;
}

static void holds(const char *text, uint64_t count, const char *texts)
{
    document it = read(text);
    CHECK(it.found && it.ids.count == count);
    for (int64_t rows = 1; it.found && rows <= 8; rows += 7) {
        for (size_t bytes = 1; bytes < 200; bytes += 99) {
            char out[256];
            shown(&it, rows, bytes, out);
            CHECK(strcmp(out, texts) == 0);
        }
    }
    free(it.text);
}

static void is_none(const char *text)
{
    document it = read(text);
    CHECK(!it.found);
    free(it.text);
}

static void a_list_of_plain_texts_is_found(void)
{
    holds("{\"units\":[]}", 0, "");
    holds(" { \"units\" : [ ] } \n", 0, "");
    holds("{\"units\":[\"a\",\"\" ,\n\"abcdefghijkl\",\"abcdefghijklm\"]}", 4,
          "[a][][abcdefghijkl][abcdefghijklm]");
    holds("{\"units\":[\"\xc3\xa4 which is longer than a word\"]}", 1,
          "[\xc3\xa4 which is longer than a word]");
    holds("{\"a\":[{\"units\":\"}]\\\"\\\\\"},1e5],\"units\":[\"b\"],\"unit\":null}", 1, "[b]");
}

static void the_first_views_are_written_at_once(void)
{
    document it = read("{\"units\":[\"a\",\"a text of more bytes\",\"c\"]}");
    int32_t view[4];
    memcpy(view, it.views + 16, sizeof view);
    CHECK(it.views[0] == 1 && it.views[4] == 'a');
    CHECK(view[0] == 20 && it.text[view[3]] == 'a' && it.text[view[3] + 20] == '"');
    free(it.text);
}

static void all_else_is_left_to_others(void)
{
    static const char *const texts[] = {
        "", "{", "[]", "{}", "{\"units\"", "{\"units\":", "{\"units\":[", "{\"units\":[\"a",
        "{\"units\":[\"a\"", "{\"units\":[\"a\",", "{\"units\":[\"a\"]", "{\"units\":[\"a\",]}",
        "{\"units\":[,\"a\"]}", "{\"units\":[\"a\" \"b\"]}", "{\"units\":[\"a\"}}",
        "{\"units\":[\"a\",1]}", "{\"units\":[null]}", "{\"units\":[[\"a\"]]}",
        "{\"units\":[\"a\\n\"]}", "{\"units\":[\"a\n\"]}", "{\"units\":[\"\xff\"]}",
        "{\"units\":[\"an escape behind sixteen bytes \\u0041\"]}",
        "{\"units\":[\"no UTF-8 behind sixteen bytes \xed\xa0\x80\"]}",
        "{\"units\":[\"a\"],\"units\":[\"b\"]}", "{\"units\":[],\"\\u0075nits\":[]}",
        "{\"units\":[]} x", "{\"units\":[]]", "{\"units\":[],}", "{\"units\":[] \"a\":1}",
        "{units:[]}", "{\"unit\":[\"a\"]}", "{\"unitss\":[\"a\"]}", "{\"units\":{}}",
        "{\"a\":{\"units\":[\"a\"]}}", "{\"a\":\"\\", "{\"a\":[", "{\"a\":1]",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) is_none(texts[i]);
}

int main(void)
{
    a_list_of_plain_texts_is_found();
    the_first_views_are_written_at_once();
    all_else_is_left_to_others();
    return checks_report("json_ids");
}
