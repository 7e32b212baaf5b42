/* The frozen algorithm against its vectors. */
#include "../digest.h"
#include "../draw.h"
#include "check.h"

typedef struct {
    const uint8_t *text;
    size_t size;
    allot_digest unit, salt;
} digest_vector;

typedef struct {
    const uint8_t *salt;
    size_t salt_size;
    const uint8_t *unit;
    size_t unit_size;
    uint64_t draw;
    uint32_t bucket;
} draw_vector;

typedef struct {
    uint64_t draw;
    uint32_t bucket;
} edge_vector;

typedef struct {
    allot_digest unit, salt;
    uint64_t draw;
} mix_vector;

#include "vectors.inc"

#define COUNT(table) (sizeof table / sizeof *table)

static int same(allot_digest a, allot_digest b) { return a.h1 == b.h1 && a.h2 == b.h2; }

static void texts_have_their_digests(void)
{
    for (size_t i = 0; i < COUNT(digests); i++) {
        const digest_vector *v = &digests[i];
        CHECK(same(allot_digest_text(v->text, v->size, ALLOT_SEED_UNIT), v->unit));
        CHECK(same(allot_digest_text(v->text, v->size, ALLOT_SEED_SALT), v->salt));
    }
}

static void units_have_their_draws_and_buckets(void)
{
    for (size_t i = 0; i < COUNT(draws); i++) {
        const draw_vector *v = &draws[i];
        const uint64_t draw =
            allot_draw(allot_digest_text(v->salt, v->salt_size, ALLOT_SEED_SALT),
                       allot_digest_text(v->unit, v->unit_size, ALLOT_SEED_UNIT));
        CHECK(draw == v->draw);
        CHECK(allot_bucket(draw, 1000000) == v->bucket);
    }
    for (size_t i = 0; i < COUNT(mixes); i++)
        CHECK(allot_draw(mixes[i].salt, mixes[i].unit) == mixes[i].draw);
}

static void edges_lie_where_the_buckets_begin(void)
{
    for (size_t i = 0; i < COUNT(edges); i++) {
        const uint64_t draw = edges[i].draw;
        const uint32_t bucket = edges[i].bucket;
        CHECK(allot_bucket(draw, 1000000) == bucket);
        CHECK(draw <= allot_last_draw(bucket + 1, 1000000));
        CHECK(bucket == 0 || draw > allot_last_draw(bucket, 1000000));
    }
}

static void every_last_draw_is_the_last_below_its_bound(void)
{
    const uint32_t spaces[] = {1, 2, 3, 7, 100, 1000, 10000, 1000000, UINT32_MAX};
    for (size_t s = 0; s < COUNT(spaces); s++) {
        const uint32_t n = spaces[s];
        const uint32_t step = n / 5000 + 1;
        for (uint64_t bound = 1; bound <= n; bound += step) {
            const uint64_t last = allot_last_draw((uint32_t)bound, n);
            CHECK(allot_bucket(last, n) == bound - 1);
            CHECK(bound == n ? last == UINT64_MAX : allot_bucket(last + 1, n) == bound);
        }
    }
}

static void many_draws_are_the_single_draws(void)
{
    enum { N = 1000 };
    static uint64_t u1[N], u2[N], out[N];
    for (uint64_t i = 0; i < N; i++) {
        u1[i] = allot_fmix64(i);
        u2[i] = allot_fmix64(~i);
    }
    const allot_digest salt = {UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210)};
    for (size_t count = 0; count <= N; count += count < 20 ? 1 : 245) {
        allot_draws_over_units(salt, u1, u2, count, out);
        for (size_t i = 0; i < count; i++)
            CHECK(out[i] == allot_draw(salt, (allot_digest){u1[i], u2[i]}));
        allot_draws_over_salts(salt, u1, u2, count, out);
        for (size_t i = 0; i < count; i++)
            CHECK(out[i] == allot_draw((allot_digest){u1[i], u2[i]}, salt));
    }
}

int main(void)
{
    texts_have_their_digests();
    units_have_their_draws_and_buckets();
    edges_lie_where_the_buckets_begin();
    every_last_draw_is_the_last_below_its_bound();
    ON_EACH_PATH(many_draws_are_the_single_draws());
    return checks_report("vectors");
}
