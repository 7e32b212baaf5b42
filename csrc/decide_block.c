#include "decide_block.h"

#include <assert.h>

#include "clones.h"

/* More entries than this are looked up by halving, a row at a time. */
#define TABLE_LONG 16

/* said[i] = what the table says of draws[i]. */
ALLOT_CLONES
static void look_block(const allot_table *table, const uint64_t *restrict draws, int64_t n,
                       uint32_t *restrict said)
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

/* What an earlier check says overrules the outcome, unless it lets the row go on. */
ALLOT_CLONES
static void overrule(const uint32_t *restrict said, int64_t n, uint32_t *restrict outcomes)
{
    for (int64_t i = 0; i < n; i++) outcomes[i] = said[i] != ALLOT_GO ? said[i] : outcomes[i];
}

/* The members have the outcome that was said of each. */
ALLOT_CLONES
static void overrule_members(const uint8_t *restrict members, const uint32_t *restrict said,
                             int64_t n, uint32_t *restrict outcomes)
{
    for (int64_t i = 0; i < n; i++) outcomes[i] = members[i] ? said[i] : outcomes[i];
}

/* Those who are no members have one outcome. */
ALLOT_CLONES
static void overrule_others(const uint8_t *restrict members, uint32_t said, int64_t n,
                            uint32_t *restrict outcomes)
{
    for (int64_t i = 0; i < n; i++) outcomes[i] = members[i] ? outcomes[i] : said;
}

static void overrule_all(uint32_t said, int64_t n, uint32_t *outcomes)
{
    for (int64_t i = 0; said != ALLOT_GO && i < n; i++) outcomes[i] = said;
}

ALLOT_CLONES
static void write_block(const uint32_t *restrict outcomes, int64_t n, int16_t *restrict codes,
                        uint8_t *restrict reasons)
{
    for (int64_t i = 0; i < n; i++) codes[i] = (int16_t)(uint16_t)outcomes[i];
    for (int64_t i = 0; i < n; i++) reasons[i] = (uint8_t)(outcomes[i] >> 16);
}

/* The stage's table over the block, if the plan has the stage. */
static void look_stage(const allot_plan *plan, allot_stage stage, int64_t n, allot_block *block)
{
    if (!(plan->stages >> stage & 1)) return;
    look_block(&plan->tables[stage], block->columns[plan->at[stage]], n, block->said);
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
