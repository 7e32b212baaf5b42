/* Plans: the order of checks against its slow twin, and what the check refuses. */
#include "../decide_block.h"
#include "case.h"
#include "check.h"

static uint64_t state = 20261121;

static uint8_t next_byte(void)
{
    state += UINT64_C(0x9e3779b97f4a7c15);
    return (uint8_t)(allot_fmix64(state) >> 56);
}

static void the_order_of_checks_is_that_of_the_twin(void)
{
    enum { CASES = 60000, BYTES = 900 };
    static uint8_t bytes[BYTES];
    static test_case c;
    uint32_t seen[ALLOT_REASONS] = {0}, refused = 0, wrong = 0;
    for (uint32_t n = 0; n < CASES; n++) {
        for (uint32_t i = 0; i < BYTES; i++)
            bytes[i] = next_byte();
        take_case(&c, &(source){bytes, BYTES});
        if (allot_plan_check(&c.spec)) {
            refused++;
        } else {
            allot_plan *plan = allot_plan_new(&c.spec);
            allot_trace trace;
            const uint32_t outcome = decided(plan, &c, NULL);
            seen[allot_outcome_reason(outcome)]++;
            wrong += outcome != expected(&c);
            wrong += outcome != decided(plan, &c, &trace);
            allot_plan_free(plan);
        }
        free_case(&c);
    }
    CHECK(wrong == 0);
    CHECK(refused > CASES / 100 && refused < CASES * 9 / 10);
    for (uint32_t reason = ALLOT_OVERRIDE; reason < ALLOT_REASONS; reason++)
        CHECK(seen[reason] > 0);
}

static void the_first_check_that_speaks_in_the_trace_decides(void)
{
    enum { CASES = 5000, BYTES = 900 };
    static uint8_t bytes[BYTES];
    static test_case c;
    for (uint32_t n = 0; n < CASES; n++) {
        for (uint32_t i = 0; i < BYTES; i++)
            bytes[i] = next_byte();
        take_case(&c, &(source){bytes, BYTES});
        if (!allot_plan_check(&c.spec)) {
            allot_plan *plan = allot_plan_new(&c.spec);
            allot_trace trace;
            const uint32_t outcome = decided(plan, &c, &trace);
            uint32_t check = 0;
            while (trace.said[check] == ALLOT_GO)
                check++;
            CHECK(check < ALLOT_CHECKS && trace.said[check] == outcome);
            CHECK(trace.pick <= c.spec.shares_count);
            allot_plan_free(plan);
        }
        free_case(&c);
    }
}

/* Every row of a block gets what it would get alone. */
static size_t wrong_rows(const allot_plan *plan, const test_case *c)
{
    enum { N = 50 };
    static allot_block block;
    static uint64_t h1[N], h2[N];
    static uint8_t ok[N], members[(1 + CASE_SEGMENTS) * N], reasons[N];
    static uint32_t ids[1 + CASE_SEGMENTS];
    static int16_t stored[N], codes[N];
    for (uint32_t i = 0; i < N; i++) {
        h1[i] = i % 8; /* some are listed */
        h2[i] = allot_fmix64(state + i);
        ok[i] = i % 9 != 0;
        stored[i] = (int16_t)(i % 7 - 2);
        for (uint32_t k = 0; k <= CASE_SEGMENTS; k++)
            members[k * N + i] = k == 0 || (h2[i] >> k & 1);
    }
    for (uint32_t k = 0; k <= CASE_SEGMENTS; k++) ids[k] = k * N;
    allot_decide_block(plan, h1, h2, ok, NULL, members, ids, c->stored ? stored : NULL, N, &block,
                       codes, reasons);
    size_t wrong = 0;
    for (uint32_t i = 0; i < N; i++) {
        uint64_t draws[ALLOT_STAGES];
        for (uint32_t k = 0; k < plan->draws; k++)
            draws[k] = allot_draw(plan->salts[k], (allot_digest){h1[i], h2[i]});
        const uint32_t outcome =
            ok[i] ? allot_decide(plan, h1[i], draws, 1, members + i, ids,
                                 c->stored ? stored[i] : -1, NULL)
                  : plan->no_unit;
        wrong += codes[i] != allot_outcome_treatment(outcome) ||
                 reasons[i] != allot_outcome_reason(outcome);
    }
    return wrong;
}

static void a_block_is_each_of_its_rows(void)
{
    enum { CASES = 3000, BYTES = 900 };
    static uint8_t bytes[BYTES];
    static test_case c;
    size_t wrong = 0;
    for (uint32_t n = 0; n < CASES; n++) {
        for (uint32_t i = 0; i < BYTES; i++) bytes[i] = next_byte();
        take_case(&c, &(source){bytes, BYTES});
        if (n % 2) { /* as most plans are: no gate, one table */
            c.spec.has_holdout = c.spec.has_layer = c.spec.has_enrolment = c.spec.keeps = false;
            c.spec.state = ALLOT_STATE_RUNNING;
            c.spec.shares_count = 1;
            c.shares[0].segment = -1;
            c.spec.overrides = c.spec.claims = NULL;
        }
        if (!allot_plan_check(&c.spec)) {
            allot_plan *plan = allot_plan_new(&c.spec);
            wrong += wrong_rows(plan, &c);
            allot_plan_free(plan);
        }
        free_case(&c);
    }
    CHECK(wrong == 0);
}

/* n slots of one bucket each with a gap of one between, so tables are 2n or 2n + 1 long. */
static void every_bucket_has_its_owner_in_tables_of_every_length(void)
{
    static allot_slot slots[ALLOT_RANGES_MAX];
    for (uint32_t n = 0; n <= ALLOT_RANGES_MAX; n += n < 40 ? 1 : 41) {
        for (uint32_t i = 0; i < n; i++)
            slots[i] = (allot_slot){2 * i + 1, 2 * i + 2, (int32_t)(i % 3)};
        const allot_share share = {slots, n, -1};
        const allot_plan_spec spec = {
            .treatments = 3, .audience = -1, .shares = &share, .shares_count = 1};
        CHECK(allot_plan_check(&spec) == NULL);
        allot_plan *plan = allot_plan_new(&spec);
        uint32_t wrong = 0;
        for (uint32_t bucket = 0; bucket < 2 * n + 3; bucket++) {
            const uint64_t first = bucket ? allot_last_draw(bucket, ALLOT_BUCKETS) + 1 : 0;
            const uint64_t ends[] = {first, allot_last_draw(bucket + 1, ALLOT_BUCKETS)};
            const int32_t owner = owner_of(slots, n, bucket);
            const uint32_t right =
                allot_outcome(owner < 0 ? ALLOT_NOT_ALLOCATED : ALLOT_ALLOCATED, owner);
            for (uint32_t end = 0; end < 2; end++)
                wrong += allot_decide(plan, 0, &ends[end], 1, (const uint8_t[]){1},
                                      allot_ids_own, -1, NULL) != right;
        }
        CHECK(wrong == 0);
        allot_plan_free(plan);
    }
}

static void a_simple_plan_is_small(void)
{
    const allot_slot slots[] = {{0, 500000, 0}, {500000, 750000, 1}, {750000, 1000000, 2}};
    const allot_share share = {slots, 3, 0};
    const allot_plan_spec spec = {
        .treatments = 3, .segments = 1, .audience = -1, .shares = &share, .shares_count = 1};
    allot_plan *plan = allot_plan_new(&spec);
    CHECK(plan->bytes <= 400);
    allot_plan_free(plan);
}

static void malformed_specifications_are_refused(void)
{
    static allot_slot many[ALLOT_RANGES_MAX + 1];
    for (uint32_t i = 0; i <= ALLOT_RANGES_MAX; i++)
        many[i] = (allot_slot){i, i + 1, 0};
    const allot_slot backwards[] = {{5, 9, 0}, {0, 5, 0}}, overlap[] = {{0, 5, 0}, {4, 9, 0}};
    const allot_slot empty[] = {{5, 5, 0}}, beyond[] = {{0, 1000001, 0}}, no_unit[] = {{0, 1, 1}};
    const allot_slot negative[] = {{0, 1, -1}};
    const allot_share wrong[] = {
        {backwards, 2, -1}, {overlap, 2, -1}, {empty, 1, -1},    {beyond, 1, -1},
        {no_unit, 1, -1},    {negative, 1, -1}, {many, ALLOT_RANGES_MAX + 1, -1},
        {NULL, 1, -1},      {many, 1, 1},      {many, 1, -2},
    };
    const allot_plan_spec good = {.treatments = 1, .segments = 1, .audience = 0};
    CHECK(allot_plan_check(&good) == NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        allot_plan_spec spec = good;
        spec.shares = &wrong[i];
        spec.shares_count = 1;
        CHECK(allot_plan_check(&spec) != NULL);
    }
    allot_plan_spec spec = good;
    CHECK((spec.audience = 1, allot_plan_check(&spec)) != NULL);
    CHECK((spec = good, spec.audience = -2, allot_plan_check(&spec)) != NULL);
    CHECK((spec = good, spec.state = ALLOT_STATES, allot_plan_check(&spec)) != NULL);
    CHECK((spec = good, spec.treatments = 257, allot_plan_check(&spec)) != NULL);
    CHECK((spec = good, spec.segments = 258, allot_plan_check(&spec)) != NULL);
    CHECK((spec = good, spec.shares_count = 1, allot_plan_check(&spec)) != NULL);
    spec = good;
    spec.has_holdout = true;
    CHECK((spec.holdout_bound = 1000000, allot_plan_check(&spec)) == NULL);
    CHECK((spec.holdout_bound = 1000001, allot_plan_check(&spec)) != NULL);
    spec = good;
    spec.has_enrolment = true;
    CHECK((spec.enrolment_bound = 1000001, allot_plan_check(&spec)) != NULL);
}

int main(void)
{
    the_order_of_checks_is_that_of_the_twin();
    the_first_check_that_speaks_in_the_trace_decides();
    ON_EACH_PATH(a_block_is_each_of_its_rows());
    every_bucket_has_its_owner_in_tables_of_every_length();
    a_simple_plan_is_small();
    malformed_specifications_are_refused();
    return checks_report("plan");
}
