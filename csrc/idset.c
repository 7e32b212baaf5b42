#include "idset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "allot_limits.h"
#include "digest.h"

enum { IDS_A_CELL = 8 };

static const allot_idset EMPTY = {0};

typedef struct {
    uint64_t hash;
    uint8_t value;
} entry;

static int by_hash(const void *left, const void *right)
{
    const uint64_t a = ((const entry *)left)->hash, b = ((const entry *)right)->hash;
    return (a > b) - (a < b);
}

static uint32_t place_of(uint64_t hash, uint32_t places)
{
    return (uint32_t)(((allot_u128)hash * places) >> 64);
}

/* The entries in ascending order: dealt into cells of about eight by their top bits, then each cell
 * sorted. Digests are uniform, so this is linear in practice; crafted ones cost a sort. */
static bool sort_entries(entry *out, const uint64_t *hashes, const uint8_t *values, uint32_t count)
{
    const uint32_t cells = count / IDS_A_CELL + 1;
    uint32_t *ends = calloc(cells, sizeof *ends);
    if (!ends)
        return false;
    for (uint32_t i = 0; i < count; i++)
        ends[place_of(hashes[i], cells)]++;
    for (uint32_t cell = 0, edge = 0; cell < cells; cell++) {
        const uint32_t size = ends[cell];
        ends[cell] = edge; /* the beginning for now: dealing moves it to the end */
        edge += size;
    }
    for (uint32_t i = 0; i < count; i++)
        out[ends[place_of(hashes[i], cells)]++] = (entry){hashes[i], values ? values[i] : 0};
    for (uint32_t cell = 0, begin = 0; cell < cells; begin = ends[cell++])
        if (ends[cell] - begin > 1)
            qsort(out + begin, ends[cell] - begin, sizeof *out, by_hash);
    free(ends);
    return true;
}

/* Drops repeats of ascending entries; false where two repeats differ in value. */
static bool drop_repeats(entry *entries, uint32_t *count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *count; i++) {
        if (kept && entries[kept - 1].hash == entries[i].hash) {
            if (entries[kept - 1].value != entries[i].value)
                return false;
            continue;
        }
        entries[kept++] = entries[i];
    }
    *count = kept;
    return true;
}

/* Lays the entries at their homes or behind; returns how many slots they take. With `slots` NULL it
 * only counts. */
static uint32_t lay(uint64_t *slots, uint8_t *values, const entry *entries, uint32_t count,
                    uint32_t homes)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t home = place_of(entries[i].hash, homes);
        const uint32_t end = (home > next ? home : next) + 1;
        for (; next < end; next++) {
            if (slots)
                slots[next] = entries[i].hash;
            if (values)
                values[next] = entries[i].value;
        }
    }
    return next;
}

static bool settle(allot_idset *set, const entry *entries, uint32_t count, bool with_values)
{
    set->count = count;
    set->homes = count / 5 * 6 + 1;
    set->used = lay(NULL, NULL, entries, count, set->homes);
    set->size = (set->used > set->homes ? set->used : set->homes) + 1;
    set->slots = malloc(set->size * sizeof *set->slots);
    set->values = with_values ? malloc(set->used + 1) : NULL;
    if (!set->slots || (with_values && !set->values))
        return false;
    lay(set->slots, set->values, entries, count, set->homes);
    for (uint32_t place = set->used; place < set->size; place++)
        set->slots[place] = UINT64_MAX;
    return true;
}

allot_idset_status allot_idset_build(allot_idset *set, const uint64_t *hashes,
                                     const uint8_t *values, size_t count)
{
    assert(set != NULL && (hashes != NULL || count == 0));
    *set = EMPTY;
    if (count > ALLOT_LISTED_IDS_MAX)
        return ALLOT_IDSET_TOO_MANY;

    uint32_t unique = (uint32_t)count;
    entry *entries = malloc((count + 1) * sizeof *entries);
    if (!entries || !sort_entries(entries, hashes, values, unique)) {
        free(entries);
        return ALLOT_IDSET_NO_MEMORY;
    }
    allot_idset_status status = ALLOT_IDSET_OK;
    if (!drop_repeats(entries, &unique))
        status = ALLOT_IDSET_AMBIGUOUS;
    else if (!settle(set, entries, unique, values != NULL))
        status = ALLOT_IDSET_NO_MEMORY;
    free(entries);
    if (status != ALLOT_IDSET_OK)
        allot_idset_free(set);
    return status;
}

allot_idset_status allot_idset_build_lines(allot_idset *set, const uint8_t *text, size_t size)
{
    assert(set != NULL && (text != NULL || size == 0));
    *set = EMPTY;
    size_t count = size ? 1 : 0;
    for (size_t i = 0; i < size; i++)
        count += text[i] == '\n';
    if (count > ALLOT_LISTED_IDS_MAX)
        return ALLOT_IDSET_TOO_MANY;

    uint64_t *hashes = malloc((count + 1) * sizeof *hashes);
    if (!hashes)
        return ALLOT_IDSET_NO_MEMORY;
    size_t begin = 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *end = memchr(text + begin, '\n', size - begin);
        const size_t stop = end ? (size_t)(end - text) : size;
        hashes[i] = allot_digest_text(text + begin, stop - begin, ALLOT_SEED_UNIT).h1;
        begin = stop + 1;
    }
    const allot_idset_status status = allot_idset_build(set, hashes, NULL, count);
    free(hashes);
    return status;
}

void allot_idset_free(allot_idset *set)
{
    free(set->slots);
    free(set->values);
    *set = EMPTY;
}

size_t allot_idset_bytes(const allot_idset *set)
{
    return set->size * sizeof *set->slots + (set->values ? set->used + (size_t)1 : 0);
}

uint32_t allot_idset_search(const allot_idset *set, uint32_t from, uint64_t hash)
{
    assert(from < set->size);
    uint32_t low = from, high = set->size - 1;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (set->slots[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
