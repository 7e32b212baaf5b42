/* A recipe: another platform's profile with a salt, which gives a unit its draw.
 *
 * The draw is what the tables of a plan are asked with, so a recipe says too which draw is the last
 * of a bucket. By the bucketing SCALE it is a whole number of `bits` bits; by any other it is the
 * bucket itself. */
#ifndef ALLOT_RECIPE_H
#define ALLOT_RECIPE_H

#include <stdbool.h>

#include "column.h"
#include "digest.h"
#include "hashes.h"

/* The numbers are those of model/profile.py. */
typedef enum {
    ALLOT_HASH_NATIVE = 0, /* no recipe has it */
    ALLOT_HASH_MURMUR3_32,
    ALLOT_HASH_MURMUR3_128,
    ALLOT_HASH_FNV1A,
    ALLOT_HASH_FNV1A_TWICE,
    ALLOT_HASH_JAVA31,
    ALLOT_HASH_MD5,
    ALLOT_HASH_SHA1,
    ALLOT_HASH_SHA256,
    ALLOT_HASHES
} allot_hash;

typedef enum {
    ALLOT_UTF8 = 0,
    ALLOT_UTF16,     /* each code unit is one number; for the hashes over numbers */
    ALLOT_UTF32,     /* each code point is */
    ALLOT_CBOR,      /* before, unit and after as one CBOR text */
    ALLOT_CBOR_PAIR, /* before and unit as a CBOR array of two texts; nothing comes after */
    ALLOT_ENCODINGS
} allot_encoding;

typedef enum {
    ALLOT_SLICE_WHOLE = 0,
    ALLOT_SLICE_ABSOLUTE,
    ALLOT_SLICE_BIG_32,
    ALLOT_SLICE_LITTLE_32,
    ALLOT_SLICE_LITTLE_ABSOLUTE,
    ALLOT_SLICE_BIG_28,
    ALLOT_SLICE_BIG_60,
    ALLOT_SLICE_BIG_64,
    ALLOT_SLICE_BIG_128, /* for the bucketing REHASH, and MD5 */
    ALLOT_SLICES
} allot_slice;

typedef enum {
    ALLOT_BUCKETING_SCALE = 0,
    ALLOT_BUCKETING_MODULO,
    ALLOT_BUCKETING_DIVIDE,
    ALLOT_BUCKETING_REHASH,
    ALLOT_BUCKETINGS
} allot_bucketing;

enum {
    ALLOT_AFFIX_BYTES_MAX = 4200, /* a salt of 1,024 characters, and what stands around it */
    ALLOT_CBOR_BYTES = 3,         /* the head of a text of less than 64 KiB */
};

typedef struct {
    uint8_t hash, encoding, slice, bucketing, shift, bits;
    uint32_t seed;
    uint64_t buckets;      /* 1 or more */
    const uint8_t *before; /* UTF-8, as is `after` */
    const uint8_t *after;
    size_t before_size, after_size;
    /* What is hashed already when a unit comes. */
    uint32_t state;      /* of the hashes over numbers, and of murmur3's 32 bits */
    allot_blocks blocks; /* of those over blocks */
} allot_recipe;

/* NULL if the fields before `state` are well formed, else a sentence that says what is wrong. */
const char *allot_recipe_check(const allot_recipe *recipe);

/* Hashes what comes before the unit. The recipe borrows the texts. */
void allot_recipe_begin(allot_recipe *recipe);

/* The draw of a unit, whose key is 1 to 1,024 bytes of UTF-8. */
uint64_t allot_recipe_draw(const allot_recipe *recipe, const uint8_t *unit, size_t size);

/* out[i] is the draw of text i, or 0 where ok[i] is 0. */
void allot_recipe_draws(const allot_recipe *recipe, const allot_text *texts, const uint8_t *ok,
                        int64_t n, uint64_t *out);

/* The bucket of a draw, and the greatest draw whose bucket is below `bound`, which is 1 to
 * `buckets`; none exceeds that of the last bucket. */
uint64_t allot_recipe_bucket(const allot_recipe *recipe, uint64_t draw);
uint64_t allot_recipe_last(const allot_recipe *recipe, uint64_t bound);

#endif
