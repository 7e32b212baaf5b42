/* The limits of the house, as the C core asserts them. They are the numbers of model/limits.py,
 * where each has its reason; a test compares the two. (The name limits.h is the C library's.) */
#ifndef ALLOT_LIMITS_H
#define ALLOT_LIMITS_H

#define ALLOT_BUCKETS 1000000
#define ALLOT_UNIT_KEY_BYTES_MAX 1024
#define ALLOT_TREATMENTS_MAX 256
#define ALLOT_ALLOCATIONS_MAX 256
#define ALLOT_RANGES_MAX 1024
#define ALLOT_LISTED_IDS_MAX 1000000

/* Limits that only the compiled form has. */
enum {
    ALLOT_SEGMENTS_MAX = ALLOT_ALLOCATIONS_MAX + 1, /* one an allocation, and the audience */
    ALLOT_STACK_MAX = 64,                           /* a segment's stack is one 64-bit word */
    ALLOT_REGISTERS_MAX = 4096,
    ALLOT_LISTS_MAX = 4096,
    ALLOT_WORDS_MAX = 1 << 18,  /* 16 million clauses: rules times segments, with room */
    ALLOT_PROGRAM_MAX = 1 << 24 /* an operand is 24 bits */
};

#endif
