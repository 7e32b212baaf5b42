/* A compiled segment: a program over clause bits and id lists that says whether a unit is a member.
 *
 * What a clause means is decided above, once per distinct value; here it is one bit. The program is
 * postfix on a stack of booleans that fits one 64-bit word. */
#ifndef ALLOT_SEGMENT_H
#define ALLOT_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "idset.h"
#include "allot_limits.h"

typedef enum {
    ALLOT_OP_CLAUSE = 0, /* push the clause bit */
    ALLOT_OP_LIST,       /* push whether the unit is in the list */
    ALLOT_OP_AND,        /* pop n, push whether all hold; of none, true */
    ALLOT_OP_OR,         /* pop n, push whether any holds; of none, false */
    ALLOT_OP_NOT,        /* turn the top over */
    ALLOT_OP_STORE,      /* move the top to a register */
    ALLOT_OP_LOAD        /* push a register */
} allot_op;

typedef struct {
    const uint32_t *program; /* (op << 24 | operand), `size` of them */
    const allot_idset *const *lists;
    uint32_t size;
    uint32_t lists_count;
    uint32_t words;          /* 64-bit words of clause bits */
    uint32_t registers;
    int32_t only;            /* the clause, where the program is that clause and nothing else */
} allot_segment;

/* NULL if the program is well formed: known operations, operands in range, registers stored before
 * they are loaded, a stack that never underflows nor exceeds ALLOT_STACK_MAX, one result. Otherwise
 * a sentence that says what is wrong. To be asked before anything else is done with a segment. */
const char *allot_segment_check(const allot_segment *segment);

/* The clause a checked program consists of, or -1. */
int32_t allot_segment_only(const allot_segment *segment);

/* Runs a checked program. `bits` holds `words` words; `unit_h1` is asked of the lists. */
bool allot_segment_run(const allot_segment *segment, const uint64_t *bits, uint64_t unit_h1);

/* Whether the unit is a member. */
static inline bool allot_segment_holds(const allot_segment *segment, const uint64_t *bits,
                                       uint64_t unit_h1)
{
    if (segment->only >= 0)
        return (bits[segment->only >> 6] >> (segment->only & 63)) & 1;
    return allot_segment_run(segment, bits, unit_h1);
}

#endif
