/* The order of checks, once: the single call, all experiments of a unit, the batch and the trace
 * all run `allot_decide`.
 *
 * It sees numbers and bits only, and walks from the last check to the first, each overruling what
 * comes after it, so that the usual case has no branch that depends on the unit.
 *
 * draws     draw k of the unit, in the order of plan->salts, is draws[k * stride]
 * members   member k of the plan is members[ids[k]], 0 or 1; ids has plan->members entries, and
 *           members[ids[0]] is 1: everyone
 * stored    the index of the sticky treatment, or negative; one the plan does not have is ignored
 *
 * One call has stride 1 and ids 0, 1, 2 ... (allot_ids_own). All experiments of a unit share one
 * sheet of members; each plan brings its own ids, and its draws are a stretch of one array
 * (allot_decide_all).
 *
 * The batch works on blocks of `block` rows and keeps everything by column: h1[block], h2[block];
 * allot_draws_over_units(plan->salts[k], h1, h2, rows, draws + k * block) for each k < plan->draws;
 * a byte column for everyone, all 1, and one per distinct segment, so that ids[k] is the column's
 * offset (column * block). Row i is then
 *
 *     allot_decide(plan, h1[i], draws + i, block, members + i, ids, stored, NULL)
 *
 * and plan->no_unit where the row has no good unit. Write it as a loop of its own a plan, with NULL
 * as a constant: it inlines, and everything about the trace disappears. */
#ifndef ALLOT_DECIDE_H
#define ALLOT_DECIDE_H

#include "draw.h"
#include "plan.h"

/* The checks after UNKNOWN_EXPERIMENT and NO_UNIT, which the callers make. */
typedef enum {
    ALLOT_CHECK_OVERRIDE = 0,
    ALLOT_CHECK_ACTIVE,
    ALLOT_CHECK_HOLDOUT,
    ALLOT_CHECK_CLAIM, /* overridden in an experiment of the same layer */
    ALLOT_CHECK_LAYER,
    ALLOT_CHECK_KEPT,
    ALLOT_CHECK_INTAKE,
    ALLOT_CHECK_AUDIENCE,
    ALLOT_CHECK_ENROLMENT,
    ALLOT_CHECK_TREATMENT,
    ALLOT_CHECKS
} allot_check;

/* What every check said: ALLOT_GO, or the outcome it gives. The first that is not GO decided. */
typedef struct {
    uint32_t said[ALLOT_CHECKS];
    uint32_t pick; /* the allocation whose table was read; the last is the fallback or NO_MATCH */
} allot_trace;

/* The ids of a call with members of its own: 0, 1, 2 ... */
extern const uint32_t allot_ids_own[1 + ALLOT_SEGMENTS_MAX];

/* The outcome beside the first last at or above `draw`. The usual short table costs four compares
 * and no branch, whatever its length and the draw: a loop that ends where the draw lies would be
 * mispredicted every other time. */
static inline uint32_t allot_look(const allot_table *table, uint64_t draw)
{
    const uint64_t *lasts = table->lasts;
    uint32_t left = table->count - 1, place = 0;
    while (left > ALLOT_TABLE_SHORT) {
        const uint32_t half = left / 2;
        place += half & -(uint32_t)(lasts[place + half - 1] < draw);
        left -= half;
    }
    lasts += place;
    place += (lasts[0] < draw) + (lasts[1] < draw) + (lasts[2] < draw) + (lasts[3] < draw);
    return table->outcomes[place];
}

static inline uint32_t allot_say(allot_trace *trace, allot_check check, uint32_t said,
                                 uint32_t later)
{
    if (trace)
        trace->said[check] = said;
    return said != ALLOT_GO ? said : later;
}

/* The first allocation the unit is a member for; there always is one. */
static inline const allot_table *allot_pick(const allot_plan *plan, const uint8_t *members,
                                            const uint32_t *ids)
{
    const allot_table *pick = plan->rest;
    for (const allot_table *asked = pick; asked != plan->allocations;) {
        asked--;
        pick = members[ids[asked->member]] ? asked : pick;
    }
    return pick;
}

/* The checks 3 to 8, which most plans lack. */
static inline uint32_t allot_gates(const allot_plan *plan, uint64_t h1, const uint64_t *draws,
                                   size_t stride, bool audience, int32_t stored, uint32_t outcome,
                                   allot_trace *trace)
{
    outcome = allot_say(trace, ALLOT_CHECK_INTAKE, plan->intake, outcome);

    uint32_t said = ALLOT_GO;
    if (plan->keeps && stored >= 0 && (uint32_t)stored < plan->treatments &&
        (audience || plan->ignore_targeting))
        said = allot_outcome(ALLOT_STICKY, stored);
    outcome = allot_say(trace, ALLOT_CHECK_KEPT, said, outcome);

    said = allot_look(plan->tables[ALLOT_STAGE_LAYER],
                      draws[plan->at[ALLOT_STAGE_LAYER] * stride]);
    outcome = allot_say(trace, ALLOT_CHECK_LAYER, said, outcome);

    said = plan->claims && allot_idset_has(plan->claims, h1)
               ? allot_outcome(ALLOT_NOT_IN_LAYER, -1) : ALLOT_GO;
    outcome = allot_say(trace, ALLOT_CHECK_CLAIM, said, outcome);

    said = allot_look(plan->tables[ALLOT_STAGE_HOLDOUT],
                      draws[plan->at[ALLOT_STAGE_HOLDOUT] * stride]);
    outcome = allot_say(trace, ALLOT_CHECK_HOLDOUT, said, outcome);
    outcome = allot_say(trace, ALLOT_CHECK_ACTIVE, plan->active, outcome);

    const int32_t treatment = plan->overrides ? allot_idset_value(plan->overrides, h1) : -1;
    said = treatment >= 0 ? allot_outcome(ALLOT_OVERRIDE, treatment) : ALLOT_GO;
    return allot_say(trace, ALLOT_CHECK_OVERRIDE, said, outcome);
}

/* The outcome of a unit that has a good key; see the head of this file. */
__attribute__((always_inline)) static inline uint32_t
allot_decide(const allot_plan *plan, uint64_t h1, const uint64_t *draws, size_t stride,
             const uint8_t *members, const uint32_t *ids, int32_t stored, allot_trace *trace)
{
    const allot_table *pick = allot_pick(plan, members, ids);
    uint32_t outcome = allot_look(pick, draws[plan->at[ALLOT_STAGE_TREATMENT] * stride]);
    if (trace) {
        trace->pick = (uint32_t)(pick - plan->allocations);
        trace->said[ALLOT_CHECK_TREATMENT] = outcome;
    }
    if (plan->ramped || trace) {
        const uint32_t said = allot_look(plan->tables[ALLOT_STAGE_ENROLMENT],
                                         draws[plan->at[ALLOT_STAGE_ENROLMENT] * stride]);
        outcome = allot_say(trace, ALLOT_CHECK_ENROLMENT, said, outcome);
    }
    const bool audience = members[ids[plan->audience]];
    const uint32_t said = audience ? ALLOT_GO : allot_outcome(ALLOT_NOT_IN_AUDIENCE, -1);
    outcome = allot_say(trace, ALLOT_CHECK_AUDIENCE, said, outcome);
    if (plan->gated || trace)
        outcome = allot_gates(plan, h1, draws, stride, audience, stored, outcome, trace);
    return outcome;
}

/* The same for a plan that is plain and one call, whose digest and draw stay in registers: what a
 * call waits for is this chain, and not the number of its instructions. */
static inline uint32_t allot_decide_one(const allot_plan *plan, allot_digest unit,
                                        const uint8_t *members)
{
    const uint32_t outcome = allot_look(plan->rest, allot_draw(plan->salts[0], unit));
    return members[plan->audience] ? outcome : allot_outcome(ALLOT_NOT_IN_AUDIENCE, -1);
}

/* The outcomes of one unit in `count` plans, whose draws and ids lie one after the other. */
void allot_decide_all(const allot_plan *const *plans, size_t count, uint64_t h1,
                      const uint64_t *draws, const uint8_t *members, const uint32_t *ids,
                      uint32_t *outcomes);

#endif
