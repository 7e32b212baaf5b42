/* Which rows are members, where the code of one attribute decides and there are few codes. */
#ifndef ALLOT_MEMBERS_H
#define ALLOT_MEMBERS_H

#include <stdint.h>

/* Up to so many codes, whose answers are bits of a table that one register holds. */
enum { ALLOT_CODES_FEW = 256 };

/* members[i] = bit codes[i] of the answers, for as many rows as fill registers; returns how many.
 * All codes are below ALLOT_CODES_FEW. */
int64_t allot_members_avx2(const uint32_t *answers, const uint32_t *codes, int64_t n,
                           uint8_t *members);
int64_t allot_members_avx512(const uint32_t *answers, const uint32_t *codes, int64_t n,
                             uint8_t *members);

#endif
