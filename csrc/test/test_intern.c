/* The table of distinct values: chosen values neither crowd it nor pass for each other. */
#include "../digest.h"
#include "../intern.h"
#include "check.h"

#include <stdlib.h>
#include <string.h>

enum { CHOSEN = 80000 };

static const allot_seed SEED = {UINT64_C(0x3c6ef372fe94f82b), UINT64_C(0x510e527fade682d1)};

/* The most places in a row that are taken: no look at the table passes more than these. */
static uint32_t longest_run(const allot_intern *intern)
{
    uint32_t longest = 0, run = 0;
    for (uint64_t i = 0; i <= 2 * (uint64_t)intern->mask; i++) {
        run = intern->places[i & intern->mask].code ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static uint64_t inverse_of(uint64_t odd)
{
    uint64_t inverse = odd;
    for (int i = 0; i < 6; i++) inverse *= 2 - odd * inverse;
    return inverse;
}

/* Families of integers, each of which crowds one usual way of hashing. */
static uint64_t chosen_integer(int family, uint64_t i)
{
    const uint64_t product = i << 52 | i >> 12; /* its bits 32 to 51 are 0 */
    if (family < 47) return i << family;
    if (family == 47) return product * inverse_of(UINT64_C(0x9e3779b97f4a7c15)) ^ 0x802;
    if (family == 48) return (i << 40) * inverse_of(UINT64_C(0xff51afd7ed558ccd));
    return i * UINT64_C(0x100000001);
}

static void chosen_integers_do_not_crowd(void)
{
    for (int family = 0; family <= 49; family++) {
        allot_intern intern;
        CHECK(allot_intern_init(&intern, SEED));
        for (uint64_t i = 0; i < CHOSEN; i++)
            CHECK(allot_intern_number(&intern, ALLOT_ROWS_SIGNED, chosen_integer(family, i)));
        CHECK(intern.count == CHOSEN);
        CHECK(longest_run(&intern) < 400);
        allot_intern_free(&intern);
    }
}

/* Texts of `size` bytes that differ in one word of eight bytes, which starts at `from`. */
static uint32_t run_of_texts(size_t size, size_t from, int shift)
{
    uint8_t text[256];
    memset(text, 'a', sizeof text);
    allot_intern intern;
    CHECK(allot_intern_init(&intern, SEED));
    for (uint64_t i = 0; i < CHOSEN; i++) {
        const uint64_t word = i << shift;
        memcpy(text + from, &word, 8);
        CHECK(allot_intern_text(&intern, ALLOT_ROWS_TEXT, (allot_text){text, size}));
    }
    CHECK(intern.count == CHOSEN);
    const uint32_t run = longest_run(&intern);
    allot_intern_free(&intern);
    return run;
}

static void chosen_texts_do_not_crowd(void)
{
    const size_t sizes[] = {8, 9, 15, 16, 17, 24, 32, 33, 64, 255};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int shift = 0; shift < 48; shift += 8) {
            CHECK(run_of_texts(sizes[s], 0, shift) < 400);
            CHECK(run_of_texts(sizes[s], sizes[s] - 8, shift) < 400);
        }
}

/* For texts of 9 to 16 bytes: what a hash of two fixed multiplications puts into one place. */
static void texts_chosen_against_known_multipliers_do_not_crowd(void)
{
    const uint64_t back = inverse_of(UINT64_C(0xbf58476d1ce4e5b9));
    uint8_t text[16];
    memset(text, 'a', sizeof text);
    uint64_t head;
    memcpy(&head, text, 8);
    const uint64_t first = (head ^ 0x1005) * UINT64_C(0x9e3779b97f4a7c15);
    allot_intern intern;
    CHECK(allot_intern_init(&intern, SEED));
    for (uint64_t i = 0; i < CHOSEN; i++) {
        const uint64_t tail = ((i << 52 | i >> 12) * back) ^ first;
        memcpy(text + 8, &tail, 8);
        CHECK(allot_intern_text(&intern, ALLOT_ROWS_TEXT, (allot_text){text, 16}));
    }
    CHECK(intern.count == CHOSEN && longest_run(&intern) < 400);
    allot_intern_free(&intern);
}

/* Whether the values lie elsewhere under another seed, and have the same codes. */
static void a_seed_moves_places_and_nothing_else(void)
{
    const allot_seed other = {1, 2};
    allot_intern one, two;
    uint32_t moved = 0;
    CHECK(allot_intern_init(&one, SEED) && allot_intern_init(&two, other));
    for (uint64_t i = 0; i < 500; i++) {
        const uint64_t number = allot_fmix64(i / 2);
        CHECK(allot_intern_number(&one, ALLOT_ROWS_FLOAT, number) == i / 2 + 1);
        CHECK(allot_intern_number(&two, ALLOT_ROWS_FLOAT, number) == i / 2 + 1);
    }
    for (uint32_t i = 0; i <= one.mask; i++) moved += one.places[i].code != two.places[i].code;
    CHECK(moved > 200);
    allot_intern_free(&one);
    allot_intern_free(&two);
}

/* The codes of a block of texts by the way that looks a short one up first. */
static void codes_of(allot_intern *intern, const allot_text *texts, uint32_t *codes)
{
    CHECK(allot_intern_texts(intern, ALLOT_ROWS_TEXT, texts, 2, codes));
}

static void no_size_passes_for_another(void)
{
    const uint64_t sizes[] = {1 << 8, 1 << 16, 1 << 24};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t size = sizes[s] + 2;
        uint8_t *text = calloc(size, 1); /* "SE" and NULs: the head is that of "SE" */
        if (!text) continue;
        memcpy(text, "SE", 2);
        const allot_text both[] = {{text, size}, {text, 2}}, turned[] = {{text, 2}, {text, size}};
        allot_intern intern;
        uint32_t codes[2];
        CHECK(allot_intern_init(&intern, SEED));
        codes_of(&intern, both, codes);
        CHECK(codes[0] == 1 && codes[1] == 2);
        codes_of(&intern, turned, codes);
        CHECK(codes[0] == 2 && codes[1] == 1);
        CHECK(intern.values[0].size == size && intern.values[1].size == 2);
        allot_intern_free(&intern);
        free(text);
    }
}

static void values_of_every_size_and_kind_are_told_apart(void)
{
    uint8_t zeros[64] = {0};
    allot_intern intern;
    CHECK(allot_intern_init(&intern, SEED));
    uint32_t next = 0;
    for (int again = 0; again < 2; again++, next = 0) {
        for (size_t size = 0; size <= sizeof zeros; size++) {
            CHECK(allot_intern_text(&intern, ALLOT_ROWS_TEXT, (allot_text){zeros, size}) == ++next);
            CHECK(allot_intern_text(&intern, ALLOT_ROWS_NONE, (allot_text){zeros, size}) == ++next);
        }
        CHECK(allot_intern_number(&intern, ALLOT_ROWS_BOOL, 0) == ++next);
        CHECK(allot_intern_number(&intern, ALLOT_ROWS_SIGNED, 0) == ++next);
        CHECK(allot_intern_number(&intern, ALLOT_ROWS_UNSIGNED, 0) == ++next);
        CHECK(allot_intern_number(&intern, ALLOT_ROWS_FLOAT, 0) == ++next);
    }
    allot_intern_free(&intern);
}

int main(void)
{
    chosen_integers_do_not_crowd();
    chosen_texts_do_not_crowd();
    texts_chosen_against_known_multipliers_do_not_crowd();
    a_seed_moves_places_and_nothing_else();
    no_size_passes_for_another();
    values_of_every_size_and_kind_are_told_apart();
    return checks_report("intern");
}
