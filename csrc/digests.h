/* The digests of a block of unit keys, several at a time.
 *
 * Each is what allot_digest_text makes of the key alone. Here the keys' words are laid side by
 * side, so that a processor with wide registers hashes as many keys at once as it has lanes. */
#ifndef ALLOT_DIGESTS_H
#define ALLOT_DIGESTS_H

#include "column.h"

enum {
    ALLOT_LANES = 128,     /* keys laid side by side */
    ALLOT_LANE_BLOCKS = 4, /* blocks of 16 bytes: keys longer than 79 bytes go alone */
};

/* Room for the keys of one group. What is in it between groups does not matter. */
typedef struct {
    uint64_t words[2 * ALLOT_LANE_BLOCKS][ALLOT_LANES];
    uint64_t tails[2][ALLOT_LANES];
    uint64_t sizes[ALLOT_LANES];
} allot_lanes;

/* Digests texts as unit keys, with seed 0. ok[i] is 1 for a key of 1 to 1,024 bytes of UTF-8; else
 * it is 0, and the digest too. */
void allot_digest_texts(const allot_text *texts, int64_t n, allot_lanes *lanes, uint64_t *h1,
                        uint64_t *h2, uint8_t *ok);

/* The same without the digests: whether each is such a key. */
void allot_check_texts(const allot_text *texts, int64_t n, uint8_t *ok);

#endif
