/* The hashes against published values, and what a recipe promises of its draws. */
#include <string.h>

#include "../draw.h"
#include "../recipe.h"
#include "check.h"

static allot_recipe recipe_of(uint8_t hash, uint8_t slice, uint8_t bucketing, uint8_t bits)
{
    const allot_recipe recipe = {.hash = hash,
                                 .slice = slice,
                                 .bucketing = bucketing,
                                 .bits = bits,
                                 .buckets = 1000,
                                 .before = (const uint8_t *)"",
                                 .after = (const uint8_t *)""};
    return recipe;
}

static uint64_t number_of(uint8_t hash, uint8_t slice, uint8_t bits, const char *text)
{
    allot_recipe recipe = recipe_of(hash, slice, ALLOT_BUCKETING_SCALE, bits);
    CHECK(allot_recipe_check(&recipe) == NULL);
    allot_recipe_begin(&recipe);
    return allot_recipe_draw(&recipe, (const uint8_t *)text, strlen(text));
}

/* RFC 1321, A.5; FIPS 180; the authors of FNV and of murmur3. */
static void texts_have_their_published_hashes(void)
{
    CHECK(number_of(ALLOT_HASH_MD5, ALLOT_SLICE_BIG_64, 64, "abc") == 0x900150983cd24fb0);
    CHECK(number_of(ALLOT_HASH_MD5, ALLOT_SLICE_BIG_64, 64,
                    "1234567890123456789012345678901234567890123456789012345678901234567890123456"
                    "7890") == 0x57edf4a22be3c955);
    CHECK(number_of(ALLOT_HASH_SHA1, ALLOT_SLICE_BIG_64, 64, "abc") == 0xa9993e364706816a);
    CHECK(number_of(ALLOT_HASH_SHA1, ALLOT_SLICE_BIG_60, 60, "abc") == 0xa9993e364706816);
    CHECK(number_of(ALLOT_HASH_SHA1, ALLOT_SLICE_BIG_64, 64,
                    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          0x84983e441c3bd26e);
    CHECK(number_of(ALLOT_HASH_SHA256, ALLOT_SLICE_BIG_64, 64, "abc") == 0xba7816bf8f01cfea);
    CHECK(number_of(ALLOT_HASH_SHA256, ALLOT_SLICE_BIG_64, 64,
                    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          0x248d6a61d20638b8);
    CHECK(number_of(ALLOT_HASH_FNV1A, ALLOT_SLICE_WHOLE, 32, "foobar") == 0xbf9cf968);
    CHECK(number_of(ALLOT_HASH_JAVA31, ALLOT_SLICE_WHOLE, 32, "hello") == 99162322);
    CHECK(number_of(ALLOT_HASH_MURMUR3_32, ALLOT_SLICE_WHOLE, 32,
                    "The quick brown fox jumps over the lazy dog") == 0x2e4ff723);
}

/* The processor's instructions and plain C take the same blocks to the same state. */
static void every_length_of_text_has_one_hash_however_it_comes(void)
{
    uint8_t text[300];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)(i * 7 + 1);
    allot_take_blocks *const takes[] = {allot_md5_take, allot_sha1_take, allot_sha256_take};
    for (size_t kind = 0; kind < 3; kind++) {
        for (size_t size = 0; size <= sizeof text; size++) {
            allot_blocks whole = {.state = {1, 2, 3, 4, 5, 6, 7, 8}}, parts = whole;
            allot_blocks_take(&whole, takes[kind], text, size);
            for (size_t at = 0; at < size; at += 13)
                allot_blocks_take(&parts, takes[kind], text + at, size - at < 13 ? size - at : 13);
            allot_blocks_end(&whole, takes[kind], 1);
            allot_blocks_end(&parts, takes[kind], 1);
            CHECK(memcmp(whole.state, parts.state, sizeof whole.state) == 0);
        }
    }
}

static void a_draw_up_to_the_last_of_a_bucket_is_in_it_and_no_other_is(void)
{
    const uint64_t counts[] = {1, 2, 3, 100, 9998, 1000000, UINT64_C(1) << 32};
    const uint8_t widths[] = {32, 60, 64};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        for (size_t w = 0; w < sizeof widths; w++) {
            allot_recipe recipe = recipe_of(ALLOT_HASH_SHA1, ALLOT_SLICE_BIG_60,
                                            ALLOT_BUCKETING_SCALE, widths[w]);
            recipe.buckets = counts[c];
            CHECK(allot_recipe_check(&recipe) == NULL);
            for (uint64_t k = 1; k < 50 && k < counts[c]; k++) {
                const uint64_t bound = k % 2 ? k : counts[c] - k;
                const uint64_t last = allot_recipe_last(&recipe, bound);
                CHECK(allot_recipe_bucket(&recipe, last) == bound - 1);
                CHECK(allot_recipe_bucket(&recipe, last + 1) == bound);
            }
            CHECK(allot_recipe_last(&recipe, counts[c]) == UINT64_MAX);
        }
    }
}

int main(void)
{
    texts_have_their_published_hashes();
    ON_EACH_PATH(every_length_of_text_has_one_hash_however_it_comes());
    a_draw_up_to_the_last_of_a_bucket_is_in_it_and_no_other_is();
    return checks_report("recipe");
}
