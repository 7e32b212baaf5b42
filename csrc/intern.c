#include "intern.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"

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

static inline uint32_t mark_of(const allot_value *value)
{
    return (uint32_t)value->size << 8 | (uint32_t)value->taken;
}

static inline uint32_t hash_of_short(uint64_t head, uint32_t mark)
{
    return (uint32_t)((head ^ mark) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static inline uint32_t hash_of(const allot_value *value)
{
    if (value->size <= 8) return hash_of_short(value->head, mark_of(value));
    uint64_t hash = (value->head ^ mark_of(value)) * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ value->tail) * UINT64_C(0xbf58476d1ce4e5b9);
    if (value->size > 16) hash ^= allot_digest_text(value->at, value->size, 0).h1;
    return (uint32_t)(hash >> 32);
}

/* Whether two values with the same head and mark are the same. */
static inline bool is_same_rest(const allot_value *one, const allot_value *other)
{
    if (one->size <= 8) return true;
    return one->tail == other->tail && one->size == other->size &&
           (one->size <= 16 || memcmp(one->at, other->at, one->size) == 0);
}

bool allot_intern_init(allot_intern *intern)
{
    *intern = (allot_intern){.mask = PLACES_FIRST - 1};
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
        uint32_t place = hash_of(&values[code - 1]) & mask;
        while (places[place].code) place = (place + 1) & mask;
        places[place] = (allot_place){values[code - 1].head, mark_of(&values[code - 1]), code};
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
    intern->places[place] = (allot_place){value.head, mark_of(&value), code};
    return intern->count * 2 <= intern->mask || grow(intern) ? code : 0;
}

/* 0 where there is no memory: no value has that code. */
static inline uint32_t code_of(allot_intern *intern, const allot_value *value)
{
    const uint32_t mark = mark_of(value);
    uint32_t at = hash_of(value) & intern->mask;
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

/* The code of a value of at most 8 bytes that has been met, and lies where it is looked for first;
 * else 0. Almost every row of a column of few distinct values is done with this. */
static inline uint32_t met(const allot_place *places, uint32_t mask, uint64_t head, uint32_t mark)
{
    const allot_place *place = &places[hash_of_short(head, mark) & mask];
    return place->head == head && place->mark == mark ? place->code : 0;
}

bool allot_intern_texts(allot_intern *intern, const allot_text *texts, int64_t n, uint32_t *codes)
{
    for (int64_t i = 0; i < n; i++) {
        const allot_text text = texts[i];
        uint32_t code = 0;
        if (text.at && text.size <= 8) {
            const uint32_t mark = (uint32_t)text.size << 8 | ALLOT_ROWS_TEXT;
            code = met(intern->places, intern->mask, head_of(text), mark);
        }
        if (!code && text.at) {
            code = allot_intern_text(intern, ALLOT_ROWS_TEXT, text);
            if (!code) return false;
        }
        codes[i] = code;
    }
    return true;
}

bool allot_intern_numbers(allot_intern *intern, allot_rows taken, const uint64_t *numbers,
                          const uint8_t *valid, int64_t n, uint32_t *codes)
{
    for (int64_t i = 0; i < n; i++) {
        codes[i] = 0;
        if (!valid[i]) continue;
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
