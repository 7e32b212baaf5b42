/* Plans as most are, decided side by side: one native draw, one short table for the whole audience,
 * and no check but the audience. They lie by column, so that eight are decided at a time. All other
 * plans are walked by `allot_decide`, which says the same of these. */
#ifndef ALLOT_PLAIN_H
#define ALLOT_PLAIN_H

#include "plan.h"

/* A table has at most four outcomes, two in a number: the first in the low half. */
typedef struct {
    uint64_t *s1, *s2;         /* the salts */
    uint64_t *last0, *last1, *last2;
    uint64_t *pair0, *pair1;   /* the outcomes */
    uint32_t *member;          /* the audience: where it lies among the members of the unit */
} allot_plain;

enum { ALLOT_PLAIN_BYTES = 7 * sizeof(uint64_t) + sizeof(uint32_t) }; /* a plan */

/* The columns of `count` plans in ALLOT_PLAIN_BYTES * count bytes, which are aligned to 8. */
allot_plain allot_plain_in(void *room, size_t count);

bool allot_is_plain(const allot_plan *plan);

/* Writes row `at`. */
void allot_plain_put(const allot_plain *plain, size_t at, const allot_plan *plan, uint32_t member);

/* The outcomes of one unit in the rows from `first` on. */
void allot_decide_plain(const allot_plain *plain, size_t first, size_t count, allot_digest unit,
                        const uint8_t *members, uint32_t *outcomes);

#endif
