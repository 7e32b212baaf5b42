#include "decide_block.h"

#include <assert.h>
#include <string.h>

#include "paths.h"

/* More entries than this are looked up by halving, a row at a time. */
#define TABLE_LONG 16

/* said[i] = what the table says of draws[i]. */
ALLOT_INLINE void look_block_body(const allot_table *table, const uint64_t *restrict draws,
                                  int64_t n, uint32_t *restrict said)
{
    if (table->count > TABLE_LONG) {
        for (int64_t i = 0; i < n; i++) said[i] = allot_look(table, draws[i]);
        return;
    }
    const uint32_t first = table->outcomes[0];
    for (int64_t i = 0; i < n; i++) said[i] = first;
    for (uint32_t k = 1; k < table->count; k++) {
        const uint64_t last = table->lasts[k - 1];
        const uint32_t next = table->outcomes[k];
        for (int64_t i = 0; i < n; i++) said[i] = draws[i] > last ? next : said[i];
    }
}
ALLOT_CLONES(look_block, (const allot_table *table, const uint64_t *restrict draws, int64_t n,
                          uint32_t *restrict said), (table, draws, n, said))

/* What an earlier check says overrules the outcome, unless it lets the row go on. */
ALLOT_INLINE void overrule_body(const uint32_t *restrict said, int64_t n,
                                uint32_t *restrict outcomes)
{
    for (int64_t i = 0; i < n; i++) outcomes[i] = said[i] != ALLOT_GO ? said[i] : outcomes[i];
}
ALLOT_CLONES(overrule, (const uint32_t *restrict said, int64_t n, uint32_t *restrict outcomes),
             (said, n, outcomes))

/* The members have the outcome that was said of each. */
ALLOT_INLINE void overrule_members_body(const uint8_t *restrict members,
                                        const uint32_t *restrict said, int64_t n,
                                        uint32_t *restrict outcomes)
{
    for (int64_t i = 0; i < n; i++) outcomes[i] = members[i] ? said[i] : outcomes[i];
}
ALLOT_CLONES(overrule_members, (const uint8_t *restrict members, const uint32_t *restrict said,
                                int64_t n, uint32_t *restrict outcomes),
             (members, said, n, outcomes))

/* Those who are no members have one outcome. */
ALLOT_INLINE void overrule_others_body(const uint8_t *restrict members, uint32_t said, int64_t n,
                                       uint32_t *restrict outcomes)
{
    for (int64_t i = 0; i < n; i++) outcomes[i] = members[i] ? outcomes[i] : said;
}
ALLOT_CLONES(overrule_others, (const uint8_t *restrict members, uint32_t said, int64_t n,
                               uint32_t *restrict outcomes), (members, said, n, outcomes))

static void overrule_all(uint32_t said, int64_t n, uint32_t *outcomes)
{
    for (int64_t i = 0; said != ALLOT_GO && i < n; i++) outcomes[i] = said;
}

ALLOT_INLINE void write_block_body(const uint32_t *restrict outcomes, int64_t n,
                                   int16_t *restrict codes, uint8_t *restrict reasons)
{
    for (int64_t i = 0; i < n; i++) codes[i] = (int16_t)(uint16_t)outcomes[i];
    for (int64_t i = 0; i < n; i++) reasons[i] = (uint8_t)(outcomes[i] >> 16);
}
ALLOT_CLONES(write_block, (const uint32_t *restrict outcomes, int64_t n, int16_t *restrict codes,
                           uint8_t *restrict reasons), (outcomes, n, codes, reasons))

/* What most plans are: one short table of treatments for all in the audience, in one pass. */
typedef struct {
    allot_digest salt;
    uint64_t lasts[ALLOT_TABLE_SHORT];
    uint32_t outcomes[ALLOT_TABLE_SHORT + 1];
    uint32_t outside, no_unit;
} short_plan;

ALLOT_INLINE void decide_short_body(short_plan plan, const uint64_t *restrict h1,
                                    const uint64_t *restrict h2, const uint8_t *restrict audience,
                                    const uint8_t *restrict ok, int64_t n,
                                    int16_t *restrict codes, uint8_t *restrict reasons)
{
    for (int64_t i = 0; i < n; i++) {
        const uint64_t draw = allot_draw(plan.salt, (allot_digest){h1[i], h2[i]});
        uint64_t said = plan.outcomes[0];
        said = draw > plan.lasts[0] ? plan.outcomes[1] : said;
        said = draw > plan.lasts[1] ? plan.outcomes[2] : said;
        said = draw > plan.lasts[2] ? plan.outcomes[3] : said;
        said = draw > plan.lasts[3] ? plan.outcomes[4] : said;
        said = audience[i] ? said : plan.outside;
        said = ok[i] ? said : plan.no_unit;
        codes[i] = (int16_t)(uint16_t)said;
        reasons[i] = (uint8_t)(said >> 16);
    }
}
ALLOT_CLONES(decide_short,
             (short_plan plan, const uint64_t *restrict h1, const uint64_t *restrict h2,
              const uint8_t *restrict audience, const uint8_t *restrict ok, int64_t n,
              int16_t *restrict codes, uint8_t *restrict reasons),
             (plan, h1, h2, audience, ok, n, codes, reasons))

static bool is_short(const allot_plan *plan)
{
    return !plan->recipes && !plan->gated && !plan->ramped && plan->allocations == plan->rest &&
           plan->rest->count <= ALLOT_TABLE_SHORT + 1;
}

static short_plan short_of(const allot_plan *plan)
{
    const allot_table *table = plan->rest;
    short_plan made = {.salt = plan->salts[plan->at[ALLOT_STAGE_TREATMENT]],
                       .outside = allot_outcome(ALLOT_NOT_IN_AUDIENCE, -1),
                       .no_unit = plan->no_unit};
    memcpy(made.lasts, table->lasts, sizeof made.lasts);
    memcpy(made.outcomes, table->outcomes, table->count * sizeof *made.outcomes);
    return made;
}

/* The stage's table over the block, if the plan has the stage. */
static void look_stage(const allot_plan *plan, allot_stage stage, int64_t n, allot_block *block)
{
    if (!(plan->stages >> stage & 1)) return;
    look_block(plan->tables[stage], block->columns[plan->at[stage]], n, block->said);
    overrule(block->said, n, block->outcomes);
}

static void keep(const allot_plan *plan, const uint8_t *audience, const int16_t *stored, int64_t n,
                 uint32_t *outcomes)
{
    if (!plan->keeps || !stored) return;
    for (int64_t i = 0; i < n; i++) {
        const bool known = stored[i] >= 0 && (uint32_t)stored[i] < plan->treatments;
        if (known && (audience[i] || plan->ignore_targeting))
            outcomes[i] = allot_outcome(ALLOT_STICKY, stored[i]);
    }
}

/* The checks 3 to 8; see allot_gates. */
static void gate(const allot_plan *plan, const uint64_t *h1, const uint8_t *audience,
                 const int16_t *stored, int64_t n, allot_block *block)
{
    uint32_t *outcomes = block->outcomes;
    overrule_all(plan->intake, n, outcomes);
    keep(plan, audience, stored, n, outcomes);
    look_stage(plan, ALLOT_STAGE_LAYER, n, block);
    const uint32_t claimed = allot_outcome(ALLOT_NOT_IN_LAYER, -1);
    for (int64_t i = 0; plan->claims && i < n; i++) {
        if (allot_idset_has(plan->claims, h1[i])) outcomes[i] = claimed;
    }
    look_stage(plan, ALLOT_STAGE_HOLDOUT, n, block);
    overrule_all(plan->active, n, outcomes);
    for (int64_t i = 0; plan->overrides && i < n; i++) {
        const int32_t treatment = allot_idset_value(plan->overrides, h1[i]);
        if (treatment >= 0) outcomes[i] = allot_outcome(ALLOT_OVERRIDE, treatment);
    }
}

void allot_decide_block(const allot_plan *plan, const uint64_t *h1, const uint64_t *h2,
                        const uint8_t *ok, const uint64_t *const *drawn, const uint8_t *members,
                        const uint32_t *ids, const int16_t *stored, int64_t n, allot_block *block,
                        int16_t *codes, uint8_t *reasons)
{
    assert(n >= 0 && n <= ALLOT_BLOCK_ROWS);
    if (is_short(plan)) {
        decide_short(short_of(plan), h1, h2, members + ids[plan->audience], ok, n, codes, reasons);
        return;
    }
    uint32_t *outcomes = block->outcomes;
    for (size_t k = 0; k < plan->draws; k++) {
        block->columns[k] = drawn && drawn[k] ? drawn[k] : block->draws[k];
        if (block->columns[k] == block->draws[k])
            allot_draws_over_units(plan->salts[k], h1, h2, (size_t)n, block->draws[k]);
    }

    const uint64_t *draws = block->columns[plan->at[ALLOT_STAGE_TREATMENT]];
    look_block(plan->rest, draws, n, outcomes);
    for (const allot_table *asked = plan->rest; asked != plan->allocations;) {
        asked--;
        look_block(asked, draws, n, block->said);
        overrule_members(members + ids[asked->member], block->said, n, outcomes);
    }
    look_stage(plan, ALLOT_STAGE_ENROLMENT, n, block);
    const uint8_t *audience = members + ids[plan->audience];
    const uint32_t outside = allot_outcome(ALLOT_NOT_IN_AUDIENCE, -1);
    if (plan->audience) overrule_others(audience, outside, n, outcomes);
    if (plan->gated) gate(plan, h1, audience, stored, n, block);
    overrule_others(ok, plan->no_unit, n, outcomes);
    write_block(outcomes, n, codes, reasons);
}
