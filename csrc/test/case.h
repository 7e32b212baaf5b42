/* A plan and a unit made of bytes, for the tests and the fuzzer; and the order of checks written a
 * second time, in buckets and plain ifs, as slow and as obvious as it can be. */
#ifndef ALLOT_CASE_H
#define ALLOT_CASE_H

#include <stdlib.h>
#include <string.h>

#include "../decide.h"
#include "../draw.h"

enum { CASE_SHARES = 6, CASE_SLOTS = 24, CASE_SEGMENTS = 5 };

typedef struct {
    const uint8_t *at;
    size_t left;
} source;

typedef struct {
    allot_plan_spec spec;
    allot_share shares[CASE_SHARES];
    allot_slot slots[CASE_SHARES + 2][CASE_SLOTS];
    allot_idset overrides, claims;
    uint64_t h1;
    uint64_t draws[ALLOT_STAGES]; /* by stage */
    uint8_t members[1 + CASE_SEGMENTS];
    int32_t stored;
} test_case;

static uint32_t take(source *from, uint32_t size)
{
    uint32_t number = 0;
    for (uint32_t i = 0; i < size; i++) {
        number = number << 8 | (from->left ? *from->at : 0);
        if (from->left)
            from->at++, from->left--;
    }
    return number;
}

static uint32_t take_bucket(source *from)
{
    const uint32_t kind = take(from, 1);
    if (kind < 16)
        return 0;
    if (kind < 32)
        return ALLOT_BUCKETS;
    return take(from, 3) % (ALLOT_BUCKETS + 1);
}

static int by_start(const void *left, const void *right)
{
    const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static uint32_t take_slots(source *from, allot_slot *slots, uint32_t treatments)
{
    uint32_t edges[2 * CASE_SLOTS];
    const uint32_t shape = take(from, 1);
    const uint32_t count = shape % (CASE_SLOTS + 1);
    for (uint32_t i = 0; i < 2 * count; i++)
        edges[i] = take_bucket(from);
    const bool orderly = shape < 250; /* else as they come: the check has to tell */
    if (orderly)
        qsort(edges, 2 * (size_t)count, sizeof *edges, by_start);
    else if (count)
        edges[0] = take(from, 4);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (orderly && edges[2 * i] == edges[2 * i + 1])
            continue;
        slots[kept++] = (allot_slot){edges[2 * i], edges[2 * i + 1],
                                     (int32_t)(treatments ? take(from, 1) % treatments : 0)};
    }
    return kept;
}

static void take_case(test_case *made, source *from)
{
    memset(made, 0, sizeof *made);
    allot_plan_spec *spec = &made->spec;
    spec->state = take(from, 1) % (ALLOT_STATES + 2);
    if (take(from, 1) % 2) /* running, or nothing after it would be seen */
        spec->state = ALLOT_STATE_RUNNING;
    spec->treatments = take(from, 1) % 5;
    spec->segments = take(from, 1) % (CASE_SEGMENTS + 1);
    spec->audience = (int32_t)(take(from, 1) % 8) - 2;
    const uint32_t flags = take(from, 1);
    spec->has_holdout = flags & 1;
    spec->has_layer = flags & 2;
    spec->has_enrolment = flags & 4;
    spec->has_fallback = flags & 8;
    spec->keeps = flags & 16;
    spec->ignore_targeting = flags & 32;
    spec->holdout_bound = take_bucket(from);
    spec->enrolment_bound = take_bucket(from);
    for (uint32_t stage = 0; stage < ALLOT_STAGES; stage++) {
        spec->salts[stage] = (allot_digest){take(from, 4), take(from, 4)};
        made->draws[stage] = allot_fmix64(take(from, 4));
    }
    spec->layer = made->slots[CASE_SHARES];
    spec->layer_count = take_slots(from, made->slots[CASE_SHARES], 1);
    spec->shares = made->shares;
    spec->shares_count = take(from, 1) % (CASE_SHARES + 1);
    for (uint32_t i = 0; i < spec->shares_count; i++) {
        made->shares[i].slots = made->slots[i];
        made->shares[i].slots_count = take_slots(from, made->slots[i], spec->treatments);
        made->shares[i].segment = (int32_t)(take(from, 1) % 8) - 1;
        if (made->shares[i].segment >= (int32_t)spec->segments && take(from, 1) % 8)
            made->shares[i].segment = -1;
    }
    spec->fallback.slots = made->slots[CASE_SHARES + 1];
    spec->fallback.slots_count =
        take_slots(from, made->slots[CASE_SHARES + 1], spec->treatments);
    made->h1 = take(from, 1) % 8;
    const uint64_t listed[] = {take(from, 1) % 8, take(from, 1) % 8};
    const uint8_t values[] = {(uint8_t)(take(from, 1) % 5), (uint8_t)(take(from, 1) % 5)};
    if (flags & 64 && listed[0] != listed[1] &&
        allot_idset_build(&made->overrides, listed, values, 2) == ALLOT_IDSET_OK)
        spec->overrides = &made->overrides;
    if (flags & 128 && allot_idset_build(&made->claims, listed, NULL, 2) == ALLOT_IDSET_OK)
        spec->claims = &made->claims;
    made->members[0] = 1;
    for (uint32_t i = 0; i < CASE_SEGMENTS; i++)
        made->members[i + 1] = take(from, 1) % 2;
    made->stored = (int32_t)(take(from, 1) % 8) - 2;
}

static void free_case(test_case *made)
{
    allot_idset_free(&made->overrides);
    allot_idset_free(&made->claims);
}

static int32_t owner_of(const allot_slot *slots, uint32_t count, uint32_t bucket)
{
    for (uint32_t i = 0; i < count; i++)
        if (slots[i].start <= bucket && bucket < slots[i].stop)
            return slots[i].treatment;
    return -1;
}

/* What a unit of a checked case gets, by the order of checks as the design writes it. */
static uint32_t expected(const test_case *c)
{
    const allot_plan_spec *spec = &c->spec;
    uint32_t bucket[ALLOT_STAGES];
    for (uint32_t stage = 0; stage < ALLOT_STAGES; stage++)
        bucket[stage] = allot_bucket(c->draws[stage], ALLOT_BUCKETS);
    const bool audience = c->members[spec->audience + 1];

    if (spec->state == ALLOT_STATE_FAILED)
        return allot_outcome(ALLOT_FAILED, -1);
    if (spec->overrides && spec->state != ALLOT_STATE_ARCHIVED &&
        allot_idset_has(spec->overrides, c->h1))
        return allot_outcome(ALLOT_OVERRIDE, allot_idset_value(spec->overrides, c->h1));
    if (spec->state == ALLOT_STATE_INACTIVE || spec->state == ALLOT_STATE_ARCHIVED)
        return allot_outcome(ALLOT_INACTIVE, -1);
    if (spec->has_holdout && bucket[ALLOT_STAGE_HOLDOUT] < spec->holdout_bound)
        return allot_outcome(ALLOT_HELD_OUT, -1);
    if (spec->claims && allot_idset_has(spec->claims, c->h1))
        return allot_outcome(ALLOT_NOT_IN_LAYER, -1);
    if (spec->has_layer && owner_of(spec->layer, spec->layer_count, bucket[ALLOT_STAGE_LAYER]) < 0)
        return allot_outcome(ALLOT_NOT_IN_LAYER, -1);
    if (spec->keeps && c->stored >= 0 && c->stored < (int32_t)spec->treatments &&
        (audience || spec->ignore_targeting))
        return allot_outcome(ALLOT_STICKY, c->stored);
    if (spec->state == ALLOT_STATE_PAUSED)
        return allot_outcome(ALLOT_PAUSED, -1);
    if (spec->state == ALLOT_STATE_INTAKE_CLOSED)
        return allot_outcome(ALLOT_INTAKE_CLOSED, -1);
    if (!audience)
        return allot_outcome(ALLOT_NOT_IN_AUDIENCE, -1);
    if (spec->has_enrolment && bucket[ALLOT_STAGE_ENROLMENT] >= spec->enrolment_bound)
        return allot_outcome(ALLOT_NOT_ENROLLED, -1);
    for (uint32_t i = 0; i <= spec->shares_count; i++) {
        const bool rest = i == spec->shares_count;
        const allot_share *share = rest ? &spec->fallback : &spec->shares[i];
        if (rest ? !spec->has_fallback : !c->members[share->segment + 1])
            continue;
        const int32_t owner =
            owner_of(share->slots, share->slots_count, bucket[ALLOT_STAGE_TREATMENT]);
        if (owner < 0)
            return allot_outcome(ALLOT_NOT_ALLOCATED, -1);
        return allot_outcome(rest ? ALLOT_FALLBACK : ALLOT_ALLOCATED, owner);
    }
    return allot_outcome(ALLOT_NO_MATCH, -1);
}

/* What the plan says, with or without a trace; the draws in the plan's own order. */
static uint32_t decided(const allot_plan *plan, const test_case *c, allot_trace *trace)
{
    uint64_t draws[ALLOT_STAGES] = {0};
    for (uint32_t stage = 0; stage < ALLOT_STAGES; stage++)
        if (plan->stages >> stage & 1)
            draws[plan->at[stage]] = c->draws[stage];
    return allot_decide(plan, c->h1, draws, 1, c->members, allot_ids_own, c->stored, trace);
}

#endif
