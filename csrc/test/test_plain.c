/* Plain plans side by side: each as it is decided alone. */
#include "../decide.h"
#include "../draw.h"
#include "../plain.h"
#include "check.h"

enum { PLANS = 37, SEGMENTS = 3 };

static uint64_t state = 20261130;

static uint64_t next(void) { return allot_fmix64(state += UINT64_C(0x9e3779b97f4a7c15)); }

/* One to four outcomes, for everyone or the units of a segment. */
static allot_plan *some_plan(void)
{
    const uint32_t count = 1 + (uint32_t)(next() % 3);
    uint32_t edges[] = {0, 250000, (uint32_t)(250001 + next() % 500000), 1000000};
    if (next() % 2)
        edges[count] = 1000000; /* no gap after the last */
    const bool gap = next() % 2; /* before the first slot */
    allot_slot slots[3];
    for (uint32_t i = 0; i < count; i++)
        slots[i] = (allot_slot){edges[i] + (gap && !i), edges[i + 1], (int32_t)(next() % 300 % 7)};
    const allot_share share = {slots, count, -1};
    const allot_plan_spec spec = {
        .treatments = 7, .segments = SEGMENTS, .audience = (int32_t)(next() % (SEGMENTS + 1)) - 1,
        .salts[ALLOT_STAGE_TREATMENT] = {next(), next()}, .shares = &share, .shares_count = 1};
    if (allot_plan_check(&spec))
        return NULL;
    return allot_plan_new(&spec);
}

static void every_row_is_decided_as_the_plan_alone(void)
{
    static uint64_t room[(PLANS * ALLOT_PLAIN_BYTES + 7) / 8];
    const allot_plain plain = allot_plain_in(room, PLANS);
    allot_plan *plans[PLANS];
    uint32_t lengths[5] = {0};
    for (uint32_t i = 0; i < PLANS; i++) {
        do {
            plans[i] = some_plan();
        } while (!plans[i] || !allot_is_plain(plans[i]));
        lengths[plans[i]->rest->count]++;
        allot_plain_put(&plain, i, plans[i], plans[i]->audience);
    }
    for (uint32_t length = 1; length < 5; length++)
        CHECK(lengths[length] > 0);

    uint32_t wrong = 0, first = 0;
    for (uint32_t n = 0; n < 20000; n++) {
        const allot_digest unit = {next(), next()};
        const uint8_t members[1 + SEGMENTS] = {1, next() & 1, next() & 1, next() & 1};
        uint32_t outcomes[PLANS];
        allot_decide_plain(&plain, first, PLANS - first, unit, members, outcomes + first);
        for (uint32_t i = first; i < PLANS; i++) {
            const uint64_t draw = allot_draw(plans[i]->salts[0], unit);
            wrong += outcomes[i] != allot_decide(plans[i], unit.h1, &draw, 1, members,
                                                 allot_ids_own, -1, NULL);
        }
        first = (first + 1) % PLANS;
    }
    CHECK(wrong == 0);
    for (uint32_t i = 0; i < PLANS; i++)
        allot_plan_free(plans[i]);
}

static void a_plan_with_another_check_is_not_plain(void)
{
    const allot_slot all = {0, 1000000, 0};
    const allot_share share = {&all, 1, -1};
    const allot_share narrow = {&all, 1, 0};
    const allot_slot five[] = {{1, 2, 0}, {3, 4, 0}, {5, 1000000, 0}};
    const allot_plan_spec usual = {
        .treatments = 1, .segments = 1, .audience = -1, .shares = &share, .shares_count = 1};
    allot_plan_spec others[] = {usual, usual, usual, usual, usual, usual};
    others[1].has_enrolment = true;
    others[2].has_holdout = true;
    others[3].state = ALLOT_STATE_PAUSED;
    others[4].shares = &narrow;
    const allot_share long_one = {five, 3, -1};
    others[5].shares = &long_one;
    for (uint32_t i = 0; i < sizeof others / sizeof *others; i++) {
        CHECK(allot_plan_check(&others[i]) == NULL);
        allot_plan *plan = allot_plan_new(&others[i]);
        CHECK(allot_is_plain(plan) == (i == 0));
        allot_plan_free(plan);
    }
}

int main(void)
{
    every_row_is_decided_as_the_plan_alone();
    a_plan_with_another_check_is_not_plain();
    return checks_report("plain");
}
