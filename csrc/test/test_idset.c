/* Sets of digests: members, values, crowded places, refusals. */
#include "../allot_limits.h"
#include "../digest.h"
#include "../idset.h"
#include "check.h"

#include <stdlib.h>
#include <string.h>

static uint64_t number(uint64_t i) { return allot_fmix64(i + 1); }

static void members_are_found_and_others_are_not(void)
{
    const size_t sizes[] = {0, 1, 2, 5, 7, 8, 9, 100, 4096, 100000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t n = sizes[s];
        uint64_t *hashes = malloc((n + 1) * sizeof *hashes);
        uint8_t *values = malloc(n + 1);
        for (size_t i = 0; i < n; i++) {
            hashes[i] = number(i);
            values[i] = (uint8_t)(i * 7);
        }
        allot_idset set;
        CHECK(allot_idset_build(&set, hashes, values, n) == ALLOT_IDSET_OK);
        CHECK(set.count == n);
        size_t wrong = 0;
        for (size_t i = 0; i < n; i++)
            wrong += allot_idset_value(&set, number(i)) != (uint8_t)(i * 7);
        for (size_t i = n; i < 2 * n + 1000; i++)
            wrong += allot_idset_value(&set, number(i)) != -1;
        CHECK(wrong == 0);
        allot_idset_free(&set);
        free(hashes);
        free(values);
    }
}

static void the_outermost_hashes_are_members_only_if_listed(void)
{
    const uint64_t edges[] = {0, 1, UINT64_MAX - 1, UINT64_MAX};
    for (unsigned chosen = 0; chosen < 16; chosen++) {
        uint64_t hashes[4];
        size_t n = 0;
        for (unsigned e = 0; e < 4; e++)
            if (chosen >> e & 1)
                hashes[n++] = edges[e];
        allot_idset set;
        CHECK(allot_idset_build(&set, hashes, NULL, n) == ALLOT_IDSET_OK);
        for (unsigned e = 0; e < 4; e++)
            CHECK(allot_idset_has(&set, edges[e]) == (chosen >> e & 1));
        allot_idset_free(&set);
    }
}

static void a_crowded_place_is_searched_right(void)
{
    enum { N = 20000 };
    uint64_t *hashes = malloc(N * sizeof *hashes);
    for (uint64_t i = 0; i < N; i++)
        hashes[i] = UINT64_C(0x8000000000000000) + 2 * ((i * 7919) % N);
    allot_idset set;
    CHECK(allot_idset_build(&set, hashes, NULL, N) == ALLOT_IDSET_OK);
    size_t wrong = 0;
    for (uint64_t i = 0; i < N; i++) {
        wrong += !allot_idset_has(&set, UINT64_C(0x8000000000000000) + 2 * i);
        wrong += allot_idset_has(&set, UINT64_C(0x8000000000000001) + 2 * i);
    }
    CHECK(wrong == 0);
    allot_idset_free(&set);
    free(hashes);
}

static void repeats_count_once_and_may_not_contradict(void)
{
    const uint64_t hashes[] = {number(1), number(2), number(1)};
    allot_idset set;
    CHECK(allot_idset_build(&set, hashes, (const uint8_t[]){4, 5, 4}, 3) == ALLOT_IDSET_OK);
    CHECK(set.count == 2);
    CHECK(allot_idset_value(&set, number(1)) == 4);
    allot_idset_free(&set);
    CHECK(allot_idset_build(&set, hashes, (const uint8_t[]){4, 5, 6}, 3) == ALLOT_IDSET_AMBIGUOUS);
    CHECK(set.slots == NULL && set.values == NULL);
}

static void lines_are_keys(void)
{
    const char *text = "a\nbb\n\nd\xc3\xa9";
    allot_idset set;
    CHECK(allot_idset_build_lines(&set, (const uint8_t *)text, strlen(text)) == ALLOT_IDSET_OK);
    CHECK(set.count == 4);
    const char *keys[] = {"a", "bb", "", "d\xc3\xa9"};
    for (size_t i = 0; i < 4; i++) {
        const uint8_t *key = (const uint8_t *)keys[i];
        CHECK(allot_idset_has(&set, allot_digest_text(key, strlen(keys[i]), 0).h1));
    }
    CHECK(!allot_idset_has(&set, allot_digest_text((const uint8_t *)"b", 1, 0).h1));
    allot_idset_free(&set);
    CHECK(allot_idset_build_lines(&set, NULL, 0) == ALLOT_IDSET_OK);
    CHECK(set.count == 0 && !allot_idset_has(&set, number(3)));
    allot_idset_free(&set);
}

static void a_list_over_the_limit_is_refused(void)
{
    uint8_t *text = malloc(ALLOT_LISTED_IDS_MAX);
    memset(text, '\n', ALLOT_LISTED_IDS_MAX);
    allot_idset set;
    CHECK(allot_idset_build_lines(&set, text, ALLOT_LISTED_IDS_MAX) == ALLOT_IDSET_TOO_MANY);
    CHECK(allot_idset_build_lines(&set, text, ALLOT_LISTED_IDS_MAX - 1) == ALLOT_IDSET_OK);
    CHECK(set.count == 1);
    allot_idset_free(&set);
    free(text);
}

static void a_million_ids_cost_under_ten_bytes_each(void)
{
    enum { N = 1000000 };
    uint64_t *hashes = malloc(N * sizeof *hashes);
    for (size_t i = 0; i < N; i++)
        hashes[i] = number(i);
    allot_idset set;
    CHECK(allot_idset_build(&set, hashes, NULL, N) == ALLOT_IDSET_OK);
    CHECK(allot_idset_bytes(&set) <= 10 * (size_t)N);
    allot_idset_free(&set);
    free(hashes);
}

int main(void)
{
    members_are_found_and_others_are_not();
    the_outermost_hashes_are_members_only_if_listed();
    a_crowded_place_is_searched_right();
    repeats_count_once_and_may_not_contradict();
    lines_are_keys();
    a_list_over_the_limit_is_refused();
    a_million_ids_cost_under_ten_bytes_each();
    return checks_report("idset");
}
