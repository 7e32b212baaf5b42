#include "draw.h"

#include "paths.h"

ALLOT_INLINE void draw_over_units_body(allot_digest salt, const uint64_t *restrict u1,
                                       const uint64_t *restrict u2, size_t count,
                                       uint64_t *restrict out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = allot_fmix64((u1[i] ^ salt.h1) + (u2[i] ^ salt.h2));
}
ALLOT_CLONES(draw_over_units,
             (allot_digest salt, const uint64_t *restrict u1, const uint64_t *restrict u2,
              size_t count, uint64_t *restrict out),
             (salt, u1, u2, count, out))

void allot_draws_over_units(allot_digest salt, const uint64_t *u1, const uint64_t *u2, size_t count,
                            uint64_t *out)
{
    draw_over_units(salt, u1, u2, count, out);
}

/* The formula does not tell a salt from a unit. */
void allot_draws_over_salts(allot_digest unit, const uint64_t *s1, const uint64_t *s2, size_t count,
                            uint64_t *out)
{
    draw_over_units(unit, s1, s2, count, out);
}
