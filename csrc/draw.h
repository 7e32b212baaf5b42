/* Draws and buckets: where a unit falls in one stage of one experiment.
 *
 *     draw(salt, unit) = fmix64((u1 ^ s1) + (u2 ^ s2))      mod 2^64
 *     bucket(draw, n)  = floor(draw * n / 2^64)             0 .. n - 1, in exact integers
 *
 * The paths that assign never compute a bucket. `bucket < b` is `draw * n < b * 2^64`, which is
 * `draw <= ceil(b * 2^64 / n) - 1`: the last draw of the buckets below b, for 1 <= b <= n. */
#ifndef ALLOT_DRAW_H
#define ALLOT_DRAW_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"

__extension__ typedef unsigned __int128 allot_u128;

static inline uint64_t allot_draw(allot_digest salt, allot_digest unit)
{
    return allot_fmix64((unit.h1 ^ salt.h1) + (unit.h2 ^ salt.h2));
}

static inline uint32_t allot_bucket(uint64_t draw, uint32_t buckets)
{
    return (uint32_t)(((allot_u128)draw * buckets) >> 64);
}

/* The greatest draw whose bucket is below `bound`. */
static inline uint64_t allot_last_draw(uint32_t bound, uint32_t buckets)
{
    assert(bound >= 1 && bound <= buckets);
    const allot_u128 edge = (allot_u128)bound << 64;
    return (uint64_t)((edge + buckets - 1) / buckets - 1);
}

/* out[i] = draw(salt, (u1[i], u2[i])). `out` may not overlap the inputs. */
void allot_draws_over_units(allot_digest salt, const uint64_t *u1, const uint64_t *u2, size_t count,
                            uint64_t *out);

/* out[i] = draw((s1[i], s2[i]), unit). */
void allot_draws_over_salts(allot_digest unit, const uint64_t *s1, const uint64_t *s2, size_t count,
                            uint64_t *out);

#endif
