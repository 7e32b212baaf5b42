/* A frozen set of unit digests, perhaps with a small value each.
 *
 * Only h1 is kept: a false member once in 2e13 questions to a set of a million. The hashes lie
 * ascending in slots, each at its home floor(hash * homes / 2^64) or just behind, where others have
 * taken it; a slot that would be empty repeats the hash that follows. So a question starts at its
 * home and walks up to the first slot that is not smaller: two or three steps, mostly one cache
 * line, with six slots for five ids. */
#ifndef ALLOT_IDSET_H
#define ALLOT_IDSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "draw.h"

typedef struct {
    uint64_t *slots;  /* size; from `used` on the greatest number, which ends every walk */
    uint8_t *values;  /* used, parallel to slots, or NULL */
    uint32_t count;   /* of ids */
    uint32_t homes;   /* at least 1 */
    uint32_t used;
    uint32_t size;    /* more than used, and at least homes */
} allot_idset;

typedef enum {
    ALLOT_IDSET_OK = 0,
    ALLOT_IDSET_NO_MEMORY,
    ALLOT_IDSET_TOO_MANY,
    ALLOT_IDSET_AMBIGUOUS /* one hash with two values */
} allot_idset_status;

/* Fills `set` from `count` hashes in any order, repeats allowed; `values` is parallel or NULL.
 * On any other status than OK the set is zero and owns nothing. */
allot_idset_status allot_idset_build(allot_idset *set, const uint64_t *hashes,
                                     const uint8_t *values, size_t count);

/* The same from keys separated by '\n'; an empty text has none. */
allot_idset_status allot_idset_build_lines(allot_idset *set, const uint8_t *text, size_t size);

void allot_idset_free(allot_idset *set);

/* Bytes of memory behind the set, the struct itself not counted. */
size_t allot_idset_bytes(const allot_idset *set);

/* The first slot from `from` on that is not below `hash`, by halving. */
uint32_t allot_idset_search(const allot_idset *set, uint32_t from, uint64_t hash);

static inline uint32_t allot_idset_home(const allot_idset *set, uint64_t hash)
{
    return (uint32_t)(((allot_u128)hash * set->homes) >> 64);
}

/* Has the memory fetched that a question about `hash` will read: worth it where many follow. */
static inline void allot_idset_prefetch(const allot_idset *set, uint64_t hash)
{
    __builtin_prefetch(&set->slots[allot_idset_home(set, hash)]);
}

/* Where `hash` lies in the set, or -1. */
static inline int64_t allot_idset_find(const allot_idset *set, uint64_t hash)
{
    const uint32_t home = allot_idset_home(set, hash);
    uint32_t place = home;
    while (set->slots[place] < hash) {
        if (++place - home == 64) { /* only crafted keys crowd a place */
            place = allot_idset_search(set, place, hash);
            break;
        }
    }
    return set->slots[place] == hash && place < set->used ? (int64_t)place : -1;
}

static inline bool allot_idset_has(const allot_idset *set, uint64_t hash)
{
    return allot_idset_find(set, hash) >= 0;
}

/* The value beside `hash`: -1 if it is not in the set, 0 for members of a set without values. */
static inline int32_t allot_idset_value(const allot_idset *set, uint64_t hash)
{
    const int64_t place = allot_idset_find(set, hash);
    if (place < 0)
        return -1;
    return set->values ? set->values[place] : 0;
}

#endif
