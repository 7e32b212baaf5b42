/* The distinct values of a column, numbered 1, 2, 3 ... in the order in which they turn up.
 *
 * What a clause says of a value is decided once per distinct value, so a batch first turns a column
 * into these codes. Code 0 belongs to no value: it stands for an absent one. */
#ifndef ALLOT_INTERN_H
#define ALLOT_INTERN_H

#include "column.h"

/* One value. Up to 16 bytes of text lie in head and tail whole (the first eight and the last
 * eight, which may overlap); the table keeps a copy of a longer one. A number is its 64 bits as
 * head. Values that are taken differently are different: 1 is not true. */
typedef struct {
    uint64_t head, tail;
    const uint8_t *at; /* NULL up to 16 bytes */
    size_t size;
    allot_rows taken;
} allot_value;

/* Where a value is looked for. A short one is known by head and mark alone; no short one has the
 * mark of a long one, and long ones of the same head and mark are compared whole. */
typedef struct {
    uint64_t head;
    uint32_t mark; /* how it is taken, and its size: up to 8 bytes that, else one for all */
    uint32_t code; /* 0: free */
} allot_place;

/* Two numbers that are not known outside of the process: without them no values can be chosen that
 * all lie in one place. They move places and nothing else. */
typedef struct {
    uint64_t one, two;
} allot_seed;

typedef struct {
    allot_seed seed;
    allot_value *values; /* of code 1, 2, ... */
    allot_place *places; /* open addressing */
    uint32_t count;
    uint32_t mask;       /* of places, a power of two less one */
} allot_intern;

/* False where there is no memory. */
bool allot_intern_init(allot_intern *intern, allot_seed seed);
void allot_intern_free(allot_intern *intern);

/* The code of one text, or of other bytes if `taken` says so; 0 where there is no memory. */
uint32_t allot_intern_text(allot_intern *intern, allot_rows taken, allot_text text);

/* The code of one number; 0 where there is no memory. */
uint32_t allot_intern_number(allot_intern *intern, allot_rows taken, uint64_t number);

/* The codes of texts, taken as `taken`; one that is null has code 0. Returns false where there is
 * no memory. */
bool allot_intern_texts(allot_intern *intern, allot_rows taken, const allot_text *texts, int64_t n,
                        uint32_t *codes);

/* The codes of the first of n texts, of which i lies from offsets[i] up to offsets[i + 1]: as many
 * as are of 1 to 8 bytes, have been met, and begin 8 bytes or more before `end`. Returns how many.
 * That is nearly all of a column of few distinct values, and the fastest way through it. */
int64_t allot_intern_met(const allot_intern *intern, const uint8_t *text, const int32_t *offsets,
                         int32_t end, int64_t n, uint32_t *codes);

/* The codes of numbers; one that is not valid, or not a number, has code 0. */
bool allot_intern_numbers(allot_intern *intern, allot_rows taken, const uint64_t *numbers,
                          const uint8_t *valid, int64_t n, uint32_t *codes);

/* Where the `size` bytes of a value that is a text are: in the table, or written to `space`. */
const uint8_t *allot_value_text(const allot_value *value, uint8_t space[16]);

#endif
