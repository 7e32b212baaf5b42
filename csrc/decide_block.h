/* The order of checks over a block of rows, a check at a time.
 *
 * allot_decide (decide.h) is the rule; this is the same rule turned on its side, so that every
 * check is one loop over a column, which a processor with wide registers runs many rows at a time.
 * Tests hold the two together over every shape of plan. */
#ifndef ALLOT_DECIDE_BLOCK_H
#define ALLOT_DECIDE_BLOCK_H

#include "column.h"
#include "decide.h"

/* Room for one block. What is in it between blocks does not matter. */
typedef struct {
    uint64_t draws[ALLOT_STAGES][ALLOT_BLOCK_ROWS];
    const uint64_t *columns[ALLOT_STAGES]; /* draw k of the plan: one of these, or a recipe's */
    uint32_t outcomes[ALLOT_BLOCK_ROWS];
    uint32_t said[ALLOT_BLOCK_ROWS];
} allot_block;

/* The outcomes of `plan` for n <= ALLOT_BLOCK_ROWS rows: codes[i] is the treatment or -1. Rows
 * whose ok is 0 have no good unit. Member k of the plan is the column members + ids[k]; `stored` is
 * NULL where nothing is kept. `drawn` is NULL where all draws of the plan are native; else drawn[k]
 * are the units' draws by recipe k, or NULL where that draw is native. */
void allot_decide_block(const allot_plan *plan, const uint64_t *h1, const uint64_t *h2,
                        const uint8_t *ok, const uint64_t *const *drawn, const uint8_t *members,
                        const uint32_t *ids, const int16_t *stored, int64_t n, allot_block *block,
                        int16_t *codes, uint8_t *reasons);

#endif
