/* The batch: blocks of rows from columns to outcomes.
 *
 * For each block the caller reads the units (allot_units_read: one digest a row, for all plans),
 * the attributes (allot_field_read: one code a row), has new values decided, and then runs the
 * segments (allot_members_read) and the plans (allot_decide_block) over it. All that a block needs
 * stays in the first two caches. Nothing here allocates but the table of distinct values. */
#ifndef ALLOT_BATCH_H
#define ALLOT_BATCH_H

#include "column.h"
#include "decimals.h"
#include "decide_block.h"
#include "digests.h"
#include "intern.h"
#include "members.h"
#include "recipe.h"
#include "segment.h"

/* A column in pieces, one after the other, as chunks of a stream arrive. Piece p has the rows from
 * starts[p] up to starts[p + 1]. Its `veils` are the structs it lies in, outermost first: a row is
 * null where any of them is. */
typedef struct {
    const allot_column *columns; /* count */
    const allot_column *veils;   /* count * depth */
    const int64_t *starts;       /* count + 1 */
    int64_t count;
    int64_t depth;
} allot_pieces;

/* Room for one block of one worker. */
typedef struct {
    allot_text texts[ALLOT_BLOCK_ROWS];
    uint64_t numbers[ALLOT_BLOCK_ROWS];
    uint8_t valid[ALLOT_BLOCK_ROWS];
    allot_decimals decimals;
    allot_block block;
    uint8_t *scratch; /* ALLOT_SCRATCH_BYTES where a column is UCS4, else not read */
} allot_space;

/* The sentence that stands for a lack of memory. */
extern const char allot_no_memory[];

/* The keys of units, as texts in `space`, of the first *n rows from `start` on or fewer: *n becomes
 * how many. A row that is null has a text of no bytes, a number is its decimal text; a text is not
 * yet checked to be UTF-8, nor to be short enough.
 * Returns NULL, or a sentence that says what is malformed. */
const char *allot_units_texts(const allot_pieces *pieces, int64_t start, int64_t *n,
                              allot_space *space);

/* The draws by one recipe of a block of units. */
typedef struct {
    const allot_recipe *recipe;
    uint64_t *draws;
} allot_drawn;

/* The digests of the units in rows [start, start + n), and their draws by `count` recipes. A row
 * that is null, empty, too long or not UTF-8 has ok[i] 0; a number counts as its decimal text. With
 * h1 NULL there are no digests, but the draws and ok.
 * Returns NULL, or a sentence that says what is malformed. */
const char *allot_units_read(const allot_pieces *pieces, int64_t start, int64_t n,
                             allot_space *space, uint64_t *h1, uint64_t *h2, uint8_t *ok,
                             const allot_drawn *drawn, size_t count);

/* The codes of a dictionary's words, each looked up once: 0 where it was not yet, else the code and
 * 1. There is `room` for so many. A larger dictionary is read row by row, as is one that has more
 * words than the column has rows. */
typedef struct {
    const allot_column *of; /* the dictionary they are of, or NULL */
    uint32_t *codes;
    int64_t room;
} allot_words;

/* The codes of the values in rows [start, start + n), 0 where a row is null.
 * Returns NULL, or a sentence that says what is malformed. */
const char *allot_field_read(const allot_pieces *pieces, int64_t start, int64_t n,
                             allot_space *space, allot_intern *intern, allot_words *words,
                             uint32_t *codes);

/* How a segment's members are found in a block. */
typedef struct {
    const allot_segment *segment;
    const uint32_t *attributes;    /* by field: which of the block's attributes it reads */
    const uint64_t *const *tables; /* by field: `words` words of clause bits for each code */
    uint32_t fields;
    const uint8_t *answers; /* by code of its one field, where that decides alone; else NULL */
    bool few;               /* all codes are below ALLOT_CODES_FEW, and these have their answers */
    uint32_t answers_few[ALLOT_CODES_FEW / 32];
} allot_membership;

/* members[i] = whether row i is a member, 0 or 1. `codes` has the block's codes of each attribute;
 * `bits` has room for segment->words words. */
void allot_members_read(const allot_membership *membership, const uint32_t *const *codes,
                        const uint64_t *h1, int64_t n, uint64_t *bits, uint8_t *members);

#endif
