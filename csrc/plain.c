#include "plain.h"

#include <assert.h>

#include "draw.h"
#include "paths.h"

allot_plain allot_plain_in(void *room, size_t count)
{
    uint64_t *at = room;
    return (allot_plain){
        .s1 = at, .s2 = at + count, .last0 = at + 2 * count, .last1 = at + 3 * count,
        .last2 = at + 4 * count, .pair0 = at + 5 * count, .pair1 = at + 6 * count,
        .member = (uint32_t *)(void *)(at + 7 * count),
    };
}

bool allot_is_plain(const allot_plan *plan)
{
    return plan->plain && plan->rest->count <= 4;
}

void allot_plain_put(const allot_plain *plain, size_t at, const allot_plan *plan, uint32_t member)
{
    assert(allot_is_plain(plan));
    const allot_table *table = plan->rest;
    uint64_t outcomes[4];
    for (uint32_t i = 0; i < 4; i++) /* one after the last is never taken */
        outcomes[i] = table->outcomes[i < table->count ? i : table->count - 1];
    plain->s1[at] = plan->salts->h1;
    plain->s2[at] = plan->salts->h2;
    plain->last0[at] = table->lasts[0];
    plain->last1[at] = table->lasts[1];
    plain->last2[at] = table->lasts[2];
    plain->pair0[at] = outcomes[0] | outcomes[1] << 32;
    plain->pair1[at] = outcomes[2] | outcomes[3] << 32;
    plain->member[at] = member;
}

ALLOT_INLINE void look_body(const uint64_t *restrict s1, const uint64_t *restrict s2,
                            const uint64_t *restrict last0, const uint64_t *restrict last1,
                            const uint64_t *restrict last2, const uint64_t *restrict pair0,
                            const uint64_t *restrict pair1, size_t count, allot_digest unit,
                            uint32_t *restrict outcomes)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t draw = allot_fmix64((unit.h1 ^ s1[i]) + (unit.h2 ^ s2[i]));
        const uint64_t pair = last1[i] < draw ? pair1[i] : pair0[i];
        const uint64_t last = last1[i] < draw ? last2[i] : last0[i];
        outcomes[i] = (uint32_t)(pair >> (last < draw ? UINT64_C(32) : UINT64_C(0)));
    }
}
ALLOT_CLONES(look,
             (const uint64_t *restrict s1, const uint64_t *restrict s2,
              const uint64_t *restrict last0, const uint64_t *restrict last1,
              const uint64_t *restrict last2, const uint64_t *restrict pair0,
              const uint64_t *restrict pair1, size_t count, allot_digest unit,
              uint32_t *restrict outcomes),
             (s1, s2, last0, last1, last2, pair0, pair1, count, unit, outcomes))

void allot_decide_plain(const allot_plain *plain, size_t first, size_t count, allot_digest unit,
                        const uint8_t *members, uint32_t *outcomes)
{
    look(plain->s1 + first, plain->s2 + first, plain->last0 + first, plain->last1 + first,
         plain->last2 + first, plain->pair0 + first, plain->pair1 + first, count, unit, outcomes);
    const uint32_t *member = plain->member + first;
    const uint32_t outside = allot_outcome(ALLOT_NOT_IN_AUDIENCE, -1);
    for (size_t i = 0; i < count; i++) {
        const uint32_t inside = -(uint32_t)members[member[i]]; /* no branch depends on the unit */
        outcomes[i] = (outcomes[i] & inside) | (outside & ~inside);
    }
}
