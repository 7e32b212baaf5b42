/* Columns of UUIDs, decimals, dates and times as texts, from Arrow arrays whose buffers are as long
 * as they must be and no longer. */
#include "../arrow.h"
#include "../batch.h"
#include "../spell.h"
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void release_array(struct ArrowArray *array) { array->release = NULL; }
static void release_schema(struct ArrowSchema *schema) { schema->release = NULL; }

#define NAME "\x14\0\0\0ARROW:extension:name"
static const char UUID[] = "\2\0\0\0" "\1\0\0\0" "k" "\2\0\0\0" "vv" NAME "\x0a\0\0\0" "arrow.uuid";
static const char BOOL8[] = "\1\0\0\0" NAME "\x0b\0\0\0" "arrow.bool8";

/* Reads one row of `size` bytes as a column of the type; its text is in `text`. */
static bool spells(const char *format, const char *metadata, const void *row, size_t size,
                   const char *text)
{
    static uint8_t scratch[ALLOT_SCRATCH_BYTES];
    uint8_t *values = malloc(2 * size);
    if (!values) abort();
    memset(values, 0x5a, size);
    memcpy(values + size, row, size);
    const void *buffers[] = {NULL, values};
    const struct ArrowSchema schema = {
        .format = format, .metadata = metadata, .release = release_schema};
    const struct ArrowArray array = {
        .length = 1, .offset = 1, .n_buffers = 2, .buffers = buffers, .release = release_array};
    allot_column column, words;
    allot_text found = {NULL, 0};
    const bool same = !allot_arrow_read(&schema, &array, &column, &words) &&
                      allot_column_is_spelled(&column) &&
                      !allot_column_texts(&column, 0, 1, scratch, &found) &&
                      found.size == strlen(text) && memcmp(found.at, text, found.size) == 0;
    free(values);
    return same;
}

#define SPELLS64(format, number, text) CHECK(spells(format, NULL, &(int64_t){number}, 8, text))
#define SPELLS32(format, number, text) CHECK(spells(format, NULL, &(int32_t){number}, 4, text))

static void days_and_moments_are_spelled_as_iso_8601_has_them(void)
{
    SPELLS32("tdD", 0, "1970-01-01");
    SPELLS32("tdD", -1, "1969-12-31");
    SPELLS32("tdD", 11016, "2000-02-29");
    SPELLS32("tdD", -25509, "1900-02-28");
    SPELLS32("tdD", -25508, "1900-03-01");
    SPELLS32("tdD", -719162, "0001-01-01");
    SPELLS32("tdD", 2932896, "9999-12-31");
    SPELLS32("tdD", 2932897, "\xff");
    SPELLS32("tdD", INT32_MIN, "\xff");
    SPELLS64("tdm", -1, "1969-12-31");
    SPELLS64("tss:", 1767323045, "2026-01-02T03:04:05");
    SPELLS64("tss:UTC", 1767323045, "2026-01-02T03:04:05Z");
    SPELLS64("tsm:", -1, "1969-12-31T23:59:59.999000");
    SPELLS64("tsu:Europe/Oslo", 1, "1970-01-01T00:00:00.000001Z");
    SPELLS64("tsn:", 1000, "1970-01-01T00:00:00.000001");
    SPELLS64("tsn:", 1001, "1970-01-01T00:00:00.000001001");
    SPELLS64("tss:", INT64_MAX, "\xff");
    SPELLS64("tss:", INT64_MIN, "\xff");
    SPELLS64("tsn:", INT64_MIN, "1677-09-21T00:12:43.145224192");
    SPELLS32("tts", 11045, "03:04:05");
    SPELLS32("ttm", 86399999, "23:59:59.999000");
    SPELLS32("ttm", 86400000, "\xff");
    SPELLS64("ttu", 0, "00:00:00");
    SPELLS64("ttn", -1, "\xff");
}

static void decimals_are_their_digits_and_a_power_of_ten(void)
{
    const uint64_t least128[] = {0, UINT64_C(1) << 63}, ones128[] = {UINT64_MAX, UINT64_MAX};
    const uint64_t big[] = {0, 0, 0, UINT64_C(1) << 62};
    const uint64_t ten20[] = {UINT64_C(7766279631452241920), 5};
    SPELLS32("d:9,0,32", 0, "0");
    SPELLS32("d:9,0,32", INT32_MIN, "-2147483648");
    SPELLS32("d:9,2,32", -150, "-150E-2");
    SPELLS64("d:18,-3,64", 1000000000, "1000000000E3");
    SPELLS64("d:18,0,64", INT64_MAX, "9223372036854775807");
    CHECK(spells("d:38,0", NULL, ten20, 16, "100000000000000000000"));
    CHECK(spells("_pli128", NULL, ones128, 16, "-1"));
    CHECK(spells("d:38,0,128", NULL, least128, 16, "-170141183460469231731687303715884105728"));
    CHECK(spells("d:76,9,256", NULL, big, 32,
                 "28948022309329048855892746252171976963317496166410141009864396001978282409984"
                 "E-9"));
    const char *const wrong[] = {"d:", "d:9", "d:9,", "d:9,x", "d:9,2,", "d:9,2,16", "d:9,2,32,",
                                 "d:9,99999999999", "d:-9,2", "ts:", "tss", "tsx:", "tds", "ttx"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(!spells(wrong[i], NULL, least128, 16, "0"));
}

static void only_sixteen_bytes_that_say_so_are_a_uuid(void)
{
    const uint8_t bytes[] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0,
                             0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0};
    CHECK(spells("w:16", UUID, bytes, 16, "12345678-9abc-def0-1234-56789abcdef0"));
    CHECK(!spells("w:16", NULL, bytes, 16, ""));
    CHECK(!spells("w:16", BOOL8, bytes, 16, ""));
    CHECK(!spells("w:8", UUID, bytes, 8, ""));
}

static void halves_are_the_floats_they_stand_for(void)
{
    const uint16_t halves[] = {0x3c00, 0xc100, 0x0001, 0x03ff, 0x0400,
                               0x7bff, 0x7c00, 0x8000, 0x2e66};
    const double expected[] = {1, -2.5, 0x1p-24, 1023 * 0x1p-24, 0x1p-14,
                               65504, (double)INFINITY, -0.0, 0.0999755859375};
    const void *buffers[] = {NULL, halves};
    const struct ArrowSchema schema = {.format = "e", .release = release_schema};
    const struct ArrowArray array = {
        .length = 9, .n_buffers = 2, .buffers = buffers, .release = release_array};
    allot_column column, words;
    uint64_t numbers[9];
    uint8_t valid[9];
    CHECK(!allot_arrow_read(&schema, &array, &column, &words));
    CHECK(!allot_column_numbers(&column, 0, 9, numbers, valid));
    for (int i = 0; i < 9; i++) CHECK(memcmp(&numbers[i], &expected[i], 8) == 0);
}

static void a_list_of_a_fixed_size_ends_within_its_child(void)
{
    const allot_column three = {.kind = ALLOT_COLUMN_LIST_FIXED, .rows = 4, .width = 3};
    const allot_column vast = {.kind = ALLOT_COLUMN_LIST_FIXED, .rows = 4, .width = INT32_MAX,
                               .offset = ALLOT_COLUMN_ROWS_MAX};
    int64_t from, to;
    uint8_t valid;
    CHECK(!allot_column_list(&three, 2, 9, &from, &to, &valid) && from == 6 && to == 9 && valid);
    CHECK(allot_column_list(&three, 3, 11, &from, &to, &valid) != NULL);
    CHECK(allot_column_list(&vast, 0, 9, &from, &to, &valid) != NULL);
}

static void nan_is_no_value(void)
{
    const uint64_t one = UINT64_C(0x3ff0000000000000), nan = UINT64_C(0xfff8000000000000);
    const uint64_t bits[] = {one, nan, one};
    const uint8_t valid[] = {1, 1, 1};
    uint32_t codes[3];
    allot_intern intern;
    CHECK(allot_intern_init(&intern, (allot_seed){1, 2}));
    CHECK(allot_intern_numbers(&intern, ALLOT_ROWS_FLOAT, bits, valid, 3, codes));
    CHECK(codes[0] == 1 && codes[1] == 0 && codes[2] == 1 && intern.count == 1);
    allot_intern_free(&intern);
}

int main(void)
{
    days_and_moments_are_spelled_as_iso_8601_has_them();
    decimals_are_their_digits_and_a_power_of_ten();
    only_sixteen_bytes_that_say_so_are_a_uuid();
    halves_are_the_floats_they_stand_for();
    a_list_of_a_fixed_size_ends_within_its_child();
    nan_is_no_value();
    return checks_report("spell");
}
