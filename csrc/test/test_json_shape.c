/* What a JSON text holds and how deep it nests, wherever it is cut. */
#include "../json_shape.h"
#include "check.h"

#include <stdlib.h>
#include <string.h>

/* Reads a text in two parts, each in memory of just its size. */
static allot_json_shape shape_of(const char *text, size_t cut)
{
    allot_json_shape shape = {0};
    const size_t sizes[] = {cut, strlen(text) - cut};
    for (int i = 0; i < 2; i++) {
        uint8_t *part = malloc(sizes[i] ? sizes[i] : 1);
        if (!part) abort();
        memcpy(part, text + (i ? cut : 0), sizes[i]);
        allot_json_shape_feed(&shape, part, sizes[i]);
        free(part);
    }
    return shape;
}

static void holds(const char *text, uint64_t values, uint32_t deepest)
{
    for (size_t cut = 0; cut <= strlen(text); cut++) {
        const allot_json_shape shape = shape_of(text, cut);
        CHECK(shape.values == values);
        CHECK(shape.deepest == deepest);
    }
}

static void every_value_and_name_counts_once(void)
{
    holds("", 0, 0);
    holds(" null ", 1, 0);
    holds("[]", 1, 1);
    holds("[[],[],[1,-2.5e3,true]]", 7, 2);
    holds("{\"a\": {\"b\": \"c\"}, \"d\": null}", 7, 2);
    holds("1 2\n3", 3, 0);
}

static void nothing_in_a_text_counts(void)
{
    holds("[\"[[[\", \"{,:\", \"\\\"[\", \"\\\\\", \"\\\\\\\"[\"]", 6, 1);
    holds("\"an open one [[ ", 1, 0);
    holds("[\"a text of more than sixteen bytes, [[[ and \\\"[\\\\\",[\"\xc3\xa4[\"]]", 4, 2);
}

static void what_closes_too_much_takes_nothing_off(void)
{
    holds("]]}}[[", 2, 2);
}

static void is_crowded(const char *text, bool crowded)
{
    for (size_t cut = 0; cut <= strlen(text); cut++) CHECK(shape_of(text, cut).crowded == crowded);
}

static void a_line_has_one_object(void)
{
    is_crowded("", false);
    is_crowded("{\"a\":[[],[]]}\n\r\n{}\n", false);
    is_crowded("{\"a\":\"\n{}{}\"}\n[]", false);
    is_crowded("{} {}\n", true);
    is_crowded("{}[]\n\n", true);
    is_crowded("{\n}", true);
    is_crowded("{}\n{\"a\":[\n]}\n{}", true);
}

int main(void)
{
    every_value_and_name_counts_once();
    nothing_in_a_text_counts();
    what_closes_too_much_takes_nothing_off();
    a_line_has_one_object();
    return checks_report("json_shape");
}
