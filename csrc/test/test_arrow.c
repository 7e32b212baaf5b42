/* Columns: UTF-8, decimals, distinct values, and Arrow data in and out. Every
 * buffer is as long as it must be and no longer, so that a sanitiser sees a read past its end. */
#include "../arrow.h"
#include "../batch.h"
#include "../decimals.h"
#include "../export.h"
#include "../intern.h"
#include "../text.h"
#include "check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void *exactly(const void *from, size_t size)
{
    void *copy = malloc(size ? size : 1);
    if (!copy) abort();
    return size ? memcpy(copy, from, size) : copy;
}

static bool is_valid(const char *text, size_t size)
{
    uint8_t *copy = exactly(text, size);
    const bool valid = allot_utf8_valid(copy, size);
    free(copy);
    return valid;
}

static void utf8_is_told_from_what_is_not(void)
{
    const char *good[] = {"", "a", "ascii only, and long", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
                          "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
                          "\xf4\x8f\xbf\xbf", "12345678\xc3\xa9", "1234567\xc3\xa9"};
    const char *bad[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf",
                         "\xe0\xa0", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf",
                         "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xf0\x90\x80",
                         "12345678\xc3", "1234567\xc3", "abcdefgh\x80"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK(is_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!is_valid(bad[i], strlen(bad[i])));
    CHECK(is_valid("a\0b", 3));
}

static void decimals_are_those_of_printf(void)
{
    size_t wrong = 0;
    uint64_t number = 0;
    for (int i = 0; i < 200000; i++) {
        char expected[32];
        uint8_t digits[ALLOT_DIGITS_BYTES], plain[ALLOT_DECIMAL_BYTES];
        uint8_t *end = digits + sizeof digits;
        size_t size = allot_decimal_ending(number, end);
        snprintf(expected, sizeof expected, "%" PRIu64, number);
        wrong += size != strlen(expected) || memcmp(end - size, expected, size) != 0;
        const int64_t negative = -(int64_t)(number >> 1) - 1;
        size = allot_decimal_signed(negative, plain);
        snprintf(expected, sizeof expected, "%" PRId64, negative);
        wrong += size != strlen(expected) || memcmp(plain, expected, size) != 0;
        /* Small numbers one by one, then numbers of every length up to the greatest. */
        number = i < 100000 ? number + 1 : allot_fmix64((uint64_t)i) >> (i % 64);
    }
    CHECK(wrong == 0);
    uint8_t digits[ALLOT_DIGITS_BYTES];
    CHECK(allot_decimal_ending(UINT64_MAX, digits + sizeof digits) == 20);
    CHECK(memcmp(digits + sizeof digits - 20, "18446744073709551615", 20) == 0);
    CHECK(allot_decimal_signed(INT64_MIN, digits) == 20);
    CHECK(memcmp(digits, "-9223372036854775808", 20) == 0);
}

static void a_block_of_decimals_is_that_of_each_number(void)
{
    static allot_decimals decimals;
    static uint64_t numbers[ALLOT_BLOCK_ROWS];
    static uint8_t valid[ALLOT_BLOCK_ROWS];
    static allot_text texts[ALLOT_BLOCK_ROWS];
    size_t wrong = 0;
    for (size_t i = 0; i < ALLOT_BLOCK_ROWS; i++) {
        numbers[i] = allot_fmix64(i) >> (i % 64);
        valid[i] = i % 13 != 0;
    }
    for (int is_signed = 0; is_signed < 2; is_signed++) {
        allot_decimal_texts(numbers, valid, is_signed, ALLOT_BLOCK_ROWS, &decimals, texts);
        for (size_t i = 0; i < ALLOT_BLOCK_ROWS; i++) {
            char expected[32];
            if (is_signed)
                snprintf(expected, sizeof expected, "%" PRId64, (int64_t)numbers[i]);
            else
                snprintf(expected, sizeof expected, "%" PRIu64, numbers[i]);
            wrong += texts[i].size != (valid[i] ? strlen(expected) : 0) ||
                     memcmp(texts[i].at, expected, texts[i].size) != 0;
        }
    }
    CHECK(wrong == 0);
}

static void distinct_values_have_codes_in_order(void)
{
    enum { N = 5000 };
    allot_intern intern;
    CHECK(allot_intern_init(&intern, (allot_seed){1, 2}));
    size_t wrong = 0;
    for (int turn = 0; turn < 2; turn++) {
        for (uint32_t i = 0; i < N; i++) {
            char text[64];
            const int size = snprintf(text, sizeof text, "%*u", (int)(i % 40), i);
            const allot_text given = {(uint8_t *)text, (size_t)size};
            const uint32_t code = allot_intern_text(&intern, ALLOT_ROWS_TEXT, given);
            uint8_t space[16];
            const allot_value *value = &intern.values[code - 1];
            wrong += code != i + 1 || value->size != (size_t)size ||
                     memcmp(allot_value_text(value, space), text, (size_t)size) != 0;
        }
    }
    CHECK(wrong == 0 && intern.count == N);
    const uint32_t one = allot_intern_number(&intern, ALLOT_ROWS_SIGNED, 1);
    CHECK(one == N + 1 && allot_intern_number(&intern, ALLOT_ROWS_SIGNED, 1) == one);
    CHECK(allot_intern_number(&intern, ALLOT_ROWS_BOOL, 1) == N + 2);
    const allot_text bits_of_one = {(uint8_t *)"\1\0\0\0\0\0\0", 8};
    CHECK(allot_intern_text(&intern, ALLOT_ROWS_TEXT, bits_of_one) == N + 3);
    allot_intern_free(&intern);
}

static void release_nothing(struct ArrowArray *array) { array->release = NULL; }
static void release_no_type(struct ArrowSchema *schema) { schema->release = NULL; }

static void texts_are_read_by_their_offsets(void)
{
    const int32_t offsets[] = {7, 0, 1, 1, 3};
    const uint8_t validity = 0x16; /* rows 1, 2 and 4 of the buffers */
    int32_t *own_offsets = exactly(offsets, sizeof offsets);
    uint8_t *text = exactly("abc", 3), *bitmap = exactly(&validity, 1);
    const void *buffers[] = {bitmap, own_offsets, text};
    const struct ArrowSchema schema = {.format = "u", .release = release_no_type};
    struct ArrowArray array = {.length = 3, .offset = 1, .null_count = 1, .n_buffers = 3,
                               .buffers = buffers, .release = release_nothing};
    allot_column column, words;
    allot_text texts[3];
    CHECK(allot_arrow_read(&schema, &array, &column, &words) == NULL);
    CHECK(allot_column_texts(&column, 0, 3, NULL, texts) == NULL);
    CHECK(texts[0].size == 1 && texts[0].at[0] == 'a');
    CHECK(texts[1].size == 0 && texts[1].at != NULL);
    CHECK(texts[2].at == NULL);
    array.null_count = 0;
    CHECK(allot_arrow_read(&schema, &array, &column, &words) == NULL);
    CHECK(allot_column_texts(&column, 0, 3, NULL, texts) == NULL && texts[2].size == 2);
    array.offset = 0;
    CHECK(allot_arrow_read(&schema, &array, &column, &words) == NULL);
    CHECK(allot_column_texts(&column, 0, 3, NULL, texts) != NULL);
    free(own_offsets);
    free(text);
    free(bitmap);
}

static void what_is_exported_is_read_back(void)
{
    const int16_t codes[] = {1, -1, 0, 1, 1, -1, 0, 0, 1};
    const int32_t offsets[] = {0, 2, 5};
    const allot_names names = {(const uint8_t *)"onoff", offsets, 2};
    struct ArrowSchema schemas[2], schema;
    struct ArrowArray arrays[2], array;
    for (int i = 0; i < 2; i++)
        CHECK(allot_export_column(codes, 9, &names, i ? "two" : "one", &schemas[i], &arrays[i]));
    CHECK(allot_export_table(schemas, arrays, 2, 9, &schema, &array));
    CHECK(allot_arrow_child_named(&schema, "two") == 1);
    CHECK(allot_arrow_child_named(&schema, "three") == -1);
    allot_column parent, column, words;
    allot_text texts[9];
    CHECK(allot_arrow_read(&schema, &array, &parent, &words) == NULL);
    CHECK(allot_arrow_child(&schema, &array, &parent, 2, &column, &words) != NULL);
    CHECK(allot_arrow_child(&schema, &array, &parent, 1, &column, &words) == NULL);
    CHECK(allot_column_texts(&column, 0, 9, NULL, texts) == NULL);
    for (int i = 0; i < 9; i++)
        CHECK(codes[i] < 0 ? texts[i].at == NULL : texts[i].size == (codes[i] ? 3 : 2));
    /* A child that a consumer has moved away is the consumer's to release. */
    struct ArrowArray moved = *array.children[0];
    array.children[0]->release = NULL;
    array.release(&array);
    schema.release(&schema);
    CHECK(array.release == NULL && schema.release == NULL);
    moved.release(&moved);
}

int main(void)
{
    utf8_is_told_from_what_is_not();
    decimals_are_those_of_printf();
    ON_EACH_PATH(a_block_of_decimals_is_that_of_each_number());
    distinct_values_have_codes_in_order();
    ON_EACH_PATH(texts_are_read_by_their_offsets());
    what_is_exported_is_read_back();
    return checks_report("arrow");
}
