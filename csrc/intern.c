#include "intern.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "paths.h"

/* Room for the countries of the world before the first growth. */
#define PLACES_FIRST 1024

static uint64_t load8(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

/* The first 8 bytes of a text, or all of a shorter one. */
static inline uint64_t head_of(allot_text text)
{
    const uint8_t *at = text.at;
    const size_t size = text.size;
    uint32_t low, high;
    if (size >= 8) return load8(at);
    if (size >= 4) {
        memcpy(&low, at, 4);
        memcpy(&high, at + size - 4, 4);
        return low | (uint64_t)high << (8 * (size - 4));
    }
    /* The first, the middle and the last byte are all bytes of a text of one to three. */
    if (size == 0) return 0;
    return at[0] | (uint64_t)at[size >> 1] << (8 * (size >> 1)) |
           (uint64_t)at[size - 1] << (8 * (size - 1));
}

static inline allot_value value_of(allot_rows taken, allot_text text)
{
    const uint64_t tail = text.size > 8 ? load8(text.at + text.size - 8) : 0;
    return (allot_value){head_of(text), tail, text.at, text.size, taken};
}

static inline uint32_t mark_of(size_t size, allot_rows taken)
{
    return (uint32_t)(size <= 8 ? size : 9) << 8 | (uint32_t)taken;
}

static inline uint32_t mark_of_value(const allot_value *value)
{
    return mark_of(value->size, value->taken);
}

/* One half of the product of two numbers on the other: every bit depends on every bit of both. */
static inline uint64_t fold(uint64_t one, uint64_t two)
{
    const allot_u128 product = (allot_u128)one * two;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t hash_of_short(allot_seed seed, uint64_t head, uint32_t mark)
{
    return (uint32_t)(fold(head ^ seed.one, mark ^ seed.two) >> 32);
}

static uint32_t hash_of_long(allot_seed seed, const allot_value *value)
{
    uint64_t hash = fold(value->size ^ seed.one, mark_of_value(value) ^ seed.two);
    /* Blocks of 16 bytes; the last one may overlap the one before it. */
    for (size_t at = 0; at + 16 < value->size; at += 16)
        hash = fold(load8(value->at + at) ^ seed.one, load8(value->at + at + 8) ^ hash);
    const uint64_t last =
        value->size > 16 ? load8(value->at + value->size - 16) : value->head;
    return (uint32_t)(fold(last ^ seed.one, value->tail ^ hash) >> 32);
}

static inline uint32_t hash_of(allot_seed seed, const allot_value *value)
{
    return value->size <= 8 ? hash_of_short(seed, value->head, mark_of_value(value))
                            : hash_of_long(seed, value);
}

/* Whether two values with the same head and mark, and so both short or both long, are the same. */
static inline bool is_same_rest(const allot_value *one, const allot_value *other)
{
    if (one->size <= 8) return true;
    return one->tail == other->tail && one->size == other->size &&
           (one->size <= 16 || memcmp(one->at, other->at, one->size) == 0);
}

bool allot_intern_init(allot_intern *intern, allot_seed seed)
{
    *intern = (allot_intern){.seed = seed, .mask = PLACES_FIRST - 1};
    intern->places = calloc(PLACES_FIRST, sizeof *intern->places);
    intern->values = malloc(PLACES_FIRST / 2 * sizeof *intern->values);
    if (intern->places && intern->values) return true;
    allot_intern_free(intern);
    return false;
}

void allot_intern_free(allot_intern *intern)
{
    for (uint32_t i = 0; i < intern->count; i++) free((void *)(uintptr_t)intern->values[i].at);
    free(intern->places);
    free(intern->values);
    *intern = (allot_intern){0};
}

/* Twice the places, of which at most half are ever taken. */
static bool grow(allot_intern *intern)
{
    if (intern->mask >= UINT32_C(1) << 30) return false;
    const uint32_t mask = intern->mask * 2 + 1;
    allot_place *places = calloc((size_t)mask + 1, sizeof *places);
    if (!places) return false;
    allot_value *values = realloc(intern->values, ((size_t)mask + 1) / 2 * sizeof *values);
    if (!values) {
        free(places);
        return false;
    }
    for (uint32_t code = 1; code <= intern->count; code++) {
        const allot_value *value = &values[code - 1];
        uint32_t place = hash_of(intern->seed, value) & mask;
        while (places[place].code) place = (place + 1) & mask;
        places[place] = (allot_place){value->head, mark_of_value(value), code};
    }
    free(intern->places);
    intern->places = places;
    intern->values = values;
    intern->mask = mask;
    return true;
}

/* The new value's code; 0 where there is no memory. */
static uint32_t add(allot_intern *intern, allot_value value, uint32_t place)
{
    assert(intern->count <= intern->mask / 2 && intern->places[place].code == 0);
    const uint8_t *from = value.at;
    value.at = NULL;
    if (value.size > 16) {
        uint8_t *copy = malloc(value.size);
        if (!copy) return 0;
        value.at = memcpy(copy, from, value.size);
    }
    intern->values[intern->count] = value;
    const uint32_t code = ++intern->count;
    intern->places[place] = (allot_place){value.head, mark_of_value(&value), code};
    return intern->count * 2 <= intern->mask || grow(intern) ? code : 0;
}

/* 0 where there is no memory: no value has that code. */
static inline uint32_t code_of(allot_intern *intern, const allot_value *value)
{
    const uint32_t mark = mark_of_value(value);
    uint32_t at = hash_of(intern->seed, value) & intern->mask;
    for (;; at = (at + 1) & intern->mask) {
        const allot_place *place = &intern->places[at];
        if (!place->code) return add(intern, *value, at);
        if (place->head == value->head && place->mark == mark &&
            is_same_rest(value, &intern->values[place->code - 1]))
            return place->code;
    }
}

uint32_t allot_intern_text(allot_intern *intern, allot_rows taken, allot_text text)
{
    const allot_value value = value_of(taken, text);
    return code_of(intern, &value);
}

uint32_t allot_intern_number(allot_intern *intern, allot_rows taken, uint64_t number)
{
    const allot_value value = {number, 0, NULL, 8, taken};
    return code_of(intern, &value);
}

/* The code of a value of at most 8 bytes that has been met, else 0. Almost every row of a column of
 * few distinct values is done with this. */
static inline uint32_t met(const allot_intern *intern, uint64_t head, uint32_t mark)
{
    for (uint32_t at = hash_of_short(intern->seed, head, mark);; at++) {
        const allot_place *place = &intern->places[at & intern->mask];
        if ((place->head == head && place->mark == mark) || !place->code) return place->code;
    }
}

bool allot_intern_texts(allot_intern *intern, allot_rows taken, const allot_text *texts, int64_t n,
                        uint32_t *codes)
{
    for (int64_t i = 0; i < n; i++) {
        const allot_text text = texts[i];
        uint32_t code = 0;
        if (text.at && text.size <= 8) {
            code = met(intern, head_of(text), mark_of(text.size, taken));
        }
        if (!code && text.at) {
            code = allot_intern_text(intern, taken, text);
            if (!code) return false;
        }
        codes[i] = code;
    }
    return true;
}

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Whether all sizes are one: 0 if so. */
ALLOT_INLINE void compare_sizes_body(const int32_t *offsets, int64_t n, uint32_t *differences)
{
    const uint32_t first = (uint32_t)offsets[1] - (uint32_t)offsets[0];
    uint32_t any = 0;
    for (int64_t i = 0; i < n; i++)
        any |= ((uint32_t)offsets[i + 1] - (uint32_t)offsets[i]) ^ first;
    *differences = any;
}
ALLOT_CLONES(compare_sizes, (const int32_t *offsets, int64_t n, uint32_t *differences),
             (offsets, n, differences))

/* Texts of one size lie one after the other, so none is asked where it begins. */
static int64_t met_alike(const allot_intern *intern, const uint8_t *text, unsigned size, int64_t n,
                         uint32_t *codes)
{
    const uint32_t mark = mark_of(size, ALLOT_ROWS_TEXT);
    const uint64_t whole = UINT64_MAX >> (64 - 8 * size);
    for (int64_t i = 0; i < n; i++, text += size) {
        codes[i] = met(intern, load8(text) & whole, mark);
        if (!codes[i]) return i;
    }
    return n;
}

int64_t allot_intern_met(const allot_intern *intern, const uint8_t *text, const int32_t *offsets,
                         int32_t end, int64_t n, uint32_t *codes)
{
    const int32_t last = end - 8;
    uint32_t differences, size = (uint32_t)offsets[1] - (uint32_t)offsets[0];
    compare_sizes(offsets, n, &differences);
    if (!differences && size - 1 < 8 && offsets[0] >= 0 && offsets[n - 1] <= last)
        return met_alike(intern, text + offsets[0], size, n, codes);
    for (int64_t i = 0; i < n; i++) {
        const int32_t from = offsets[i];
        size = (uint32_t)offsets[i + 1] - (uint32_t)from;
        if (from < 0 || from > last || size - 1 > 7) return i;
        const uint64_t head = load8(text + from) & UINT64_MAX >> (64 - 8 * size);
        codes[i] = met(intern, head, mark_of(size, ALLOT_ROWS_TEXT));
        if (!codes[i]) return i;
    }
    return n;
}
#else
int64_t allot_intern_met(const allot_intern *intern, const uint8_t *text, const int32_t *offsets,
                         int32_t end, int64_t n, uint32_t *codes)
{
    (void)intern, (void)text, (void)offsets, (void)end, (void)n, (void)codes;
    return 0;
}
#endif

/* NaN is no number, and so no value. */
static bool is_nan(uint64_t number)
{
    double real;
    memcpy(&real, &number, 8);
    return real != real;
}

bool allot_intern_numbers(allot_intern *intern, allot_rows taken, const uint64_t *numbers,
                          const uint8_t *valid, int64_t n, uint32_t *codes)
{
    for (int64_t i = 0; i < n; i++) {
        codes[i] = 0;
        if (!valid[i] || (taken == ALLOT_ROWS_FLOAT && is_nan(numbers[i]))) continue;
        codes[i] = allot_intern_number(intern, taken, numbers[i]);
        if (!codes[i]) return false;
    }
    return true;
}

const uint8_t *allot_value_text(const allot_value *value, uint8_t space[16])
{
    if (value->at) return value->at;
    assert(value->size <= 16);
    if (value->size > 8) memcpy(space + value->size - 8, &value->tail, 8);
    memcpy(space, &value->head, value->size < 8 ? value->size : 8);
    return space;
}
