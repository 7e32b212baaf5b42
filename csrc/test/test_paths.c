/* What is done many rows at a time, on every path that the processor has: it is what one row after
 * the other would be. Every text is as long as it must be and no longer. */
#include "../batch.h"
#include "../digest.h"
#include "check.h"

#include <stdlib.h>
#include <string.h>

static void a_path_is_known_by_its_name(void)
{
    for (int path = 0; path < ALLOT_PATHS; path++)
        CHECK(allot_path_named(allot_path_name((allot_path)path)) == (allot_path)path);
    CHECK(allot_path_named("") == ALLOT_PATHS && allot_path_named("AVX2") == ALLOT_PATHS);
    CHECK(allot_path_is_here(ALLOT_PATH_PLAIN) && !allot_path_is_here(ALLOT_PATHS));
}

static void many_digests_are_those_of_each_text(void)
{
    enum { N = 300 };
    static uint8_t *keys[N];
    static allot_text texts[N];
    static uint64_t h1[N], h2[N];
    static uint8_t ok[N];
    size_t wrong = 0;
    for (uint64_t turn = 0; turn < 200; turn++) {
        for (size_t i = 0; i < N; i++) {
            const uint64_t random = allot_fmix64(turn * N + i + 1);
            const size_t size = turn < 100 ? turn : random % (random % 17 ? 100 : 1100);
            keys[i] = malloc(size ? size : 1);
            if (!keys[i]) abort();
            for (size_t k = 0; k < size; k++)
                keys[i][k] = (uint8_t)(33 + (random >> k % 50) % 90);
            if (turn % 4 && size > 1 && random % 5 == 0) memcpy(keys[i] + size - 2, "\xc3\xa9", 2);
            /* Every other turn is of good keys of one size. */
            const bool null = turn % 2 && random % 11 == 0;
            if (turn % 2 && size > 0 && random % 7 == 0) keys[i][size / 2] = 0xff;
            texts[i] = (allot_text){null ? NULL : keys[i], null ? 0 : size};
        }
        allot_digest_texts(texts, N, h1, h2, ok);
        for (size_t i = 0; i < N; i++) {
            const bool good = texts[i].size >= 1 && texts[i].size <= ALLOT_UNIT_KEY_BYTES_MAX &&
                              allot_utf8_valid(texts[i].at, texts[i].size);
            allot_digest digest = {0, 0};
            if (good) digest = allot_digest_text(texts[i].at, texts[i].size, ALLOT_SEED_UNIT);
            wrong += ok[i] != good || h1[i] != digest.h1 || h2[i] != digest.h2;
            free(keys[i]);
        }
    }
    CHECK(wrong == 0);
}

static size_t wrong_numbers(const uint64_t *numbers, int64_t n)
{
    static uint64_t h1[ALLOT_BLOCK_ROWS], h2[ALLOT_BLOCK_ROWS];
    size_t wrong = 0;
    const int64_t done = allot_digest_numbers(numbers, n, h1, h2);
    CHECK(done <= n && (allot_path_taken == ALLOT_PATH_PLAIN || done > n - 8));
    for (int64_t i = 0; i < done; i++) {
        uint8_t digits[ALLOT_DIGITS_BYTES], *end = digits + sizeof digits;
        const size_t size = allot_decimal_ending(numbers[i], end);
        const allot_digest digest = allot_digest_text(end - size, size, ALLOT_SEED_UNIT);
        wrong += h1[i] != digest.h1 || h2[i] != digest.h2;
    }
    return wrong;
}

static void numbers_have_the_digests_of_their_texts(void)
{
    static uint64_t numbers[ALLOT_BLOCK_ROWS];
    size_t wrong = 0;
    for (uint64_t turn = 0; turn < 200; turn++) {
        uint64_t power = 1;
        for (uint64_t k = turn % 15; k > 0; k--) power *= 10;
        for (uint64_t i = 0; i < ALLOT_BLOCK_ROWS; i++) {
            const uint64_t random = allot_fmix64(turn * ALLOT_BLOCK_ROWS + i);
            switch (turn % 4) {
            case 0: numbers[i] = random >> i % 64; break;
            case 1: numbers[i] = power * (1 + random % 9) - (random >> 32) % 3; break;
            case 2: numbers[i] = i * power; break;
            /* Around whole multiples of what is divided by. */
            default: numbers[i] = random % 10000000 * ALLOT_DIGITS_GROUP + (random >> 50) % 5 - 2;
            }
            numbers[i] %= ALLOT_DIGITS_TAIL;
        }
        wrong += wrong_numbers(numbers, ALLOT_BLOCK_ROWS - (int64_t)turn);
    }
    CHECK(wrong == 0);
    uint64_t h1[ALLOT_BLOCK_ROWS], h2[ALLOT_BLOCK_ROWS];
    numbers[40] = ALLOT_DIGITS_TAIL;
    CHECK(allot_digest_numbers(numbers, ALLOT_BLOCK_ROWS, h1, h2) <= 40);
    numbers[16] = (uint64_t)INT64_C(-1);
    CHECK(allot_digest_numbers(numbers, ALLOT_BLOCK_ROWS, h1, h2) <= 16);
}

static void members_are_the_answers_of_their_codes(void)
{
    static uint32_t codes[ALLOT_BLOCK_ROWS];
    static uint8_t answers[1000], members[ALLOT_BLOCK_ROWS];
    uint64_t bits[1];
    size_t wrong = 0;
    for (uint32_t turn = 0; turn < 100; turn++) {
        const uint32_t count = 1 + turn * turn % 400;
        const uint32_t place = 0, *of_fields[] = {codes};
        allot_membership membership = {.attributes = &place, .fields = 1, .answers = answers,
                                       .few = count <= ALLOT_CODES_FEW};
        for (uint32_t code = 0; code < count; code++) {
            answers[code] = allot_fmix64(turn * 1000 + code) >> 63;
            if (membership.few)
                membership.answers_few[code / 32] |= (uint32_t)answers[code] << code % 32;
        }
        for (uint64_t i = 0; i < ALLOT_BLOCK_ROWS; i++)
            codes[i] = (uint32_t)(allot_fmix64(i * 1000 + turn) % count);
        const int64_t n = ALLOT_BLOCK_ROWS - (int64_t)turn;
        allot_members_read(&membership, of_fields, NULL, n, bits, members);
        for (int64_t i = 0; i < n; i++) wrong += members[i] != answers[codes[i]];
    }
    CHECK(wrong == 0);
}

/* A column of `rows` texts of `least` to `most` bytes, of few letters. */
static allot_column texts_column(uint64_t turn, int64_t rows, uint64_t least, uint64_t most)
{
    int32_t *offsets = malloc(((size_t)rows + 1) * sizeof *offsets);
    if (!offsets) abort();
    offsets[0] = 0;
    for (int64_t i = 0; i < rows; i++)
        offsets[i + 1] = offsets[i] + (int32_t)(least + allot_fmix64(turn + (uint64_t)i) %
                                                            (most - least + 1));
    uint8_t *text = malloc(offsets[rows] ? (size_t)offsets[rows] : 1);
    if (!text) abort();
    for (int32_t k = 0; k < offsets[rows]; k++)
        text[k] = (uint8_t)('a' + allot_fmix64(turn + (uint64_t)k) % 3);
    return (allot_column){.kind = ALLOT_COLUMN_TEXT32, .rows = rows, .values = offsets,
                          .text = text};
}

static void a_column_of_texts_has_the_code_of_each(void)
{
    static allot_space space;
    static uint32_t codes[ALLOT_BLOCK_ROWS];
    size_t wrong = 0;
    for (uint64_t turn = 0; turn < 60; turn++) {
        const uint64_t least = turn % 10, most = turn % 3 ? least : least + turn % 7;
        const int64_t rows = 1 + (int64_t)(turn * 37 % ALLOT_BLOCK_ROWS), starts[] = {0, rows};
        allot_column column = texts_column(turn, rows, least, most);
        const allot_pieces pieces = {&column, NULL, starts, 1, 0};
        allot_words words = {0};
        allot_intern read, single;
        if (!allot_intern_init(&read, (allot_seed){1, 2})) abort();
        if (!allot_intern_init(&single, (allot_seed){3, 4})) abort();
        CHECK(!allot_field_read(&pieces, 0, rows, &space, &read, &words, codes));
        const int32_t *offsets = column.values;
        for (int64_t i = 0; i < rows; i++) {
            const allot_text text = {column.text + offsets[i],
                                     (size_t)(offsets[i + 1] - offsets[i])};
            wrong += codes[i] != allot_intern_text(&single, ALLOT_ROWS_TEXT, text);
        }
        /* What goes backwards is refused, wherever it is. */
        ((int32_t *)(uintptr_t)offsets)[turn % (uint64_t)rows] = -1;
        CHECK(allot_field_read(&pieces, 0, rows, &space, &read, &words, codes));
        allot_intern_free(&read);
        allot_intern_free(&single);
        free((void *)(uintptr_t)column.values);
        free((void *)(uintptr_t)column.text);
    }
    CHECK(wrong == 0);
}

int main(void)
{
    a_path_is_known_by_its_name();
    ON_EACH_PATH(many_digests_are_those_of_each_text());
    ON_EACH_PATH(numbers_have_the_digests_of_their_texts());
    ON_EACH_PATH(members_are_the_answers_of_their_codes());
    ON_EACH_PATH(a_column_of_texts_has_the_code_of_each());
    return checks_report("paths");
}
