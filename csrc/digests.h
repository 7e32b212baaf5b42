/* The digests of a block of unit keys, several at a time.
 *
 * Each is what allot_digest_text makes of the key alone. A processor with wide registers hashes as
 * many keys at once as these have lanes: words of several keys lie side by side. */
#ifndef ALLOT_DIGESTS_H
#define ALLOT_DIGESTS_H

#include "column.h"

/* How far ahead of the text that is digested its bytes are fetched into the cache. */
enum { ALLOT_TEXTS_AHEAD = 64 };

/* Digests texts as unit keys, with seed 0. ok[i] is 1 for a key of 1 to 1,024 bytes of UTF-8; else
 * it is 0, and the digest too. */
void allot_digest_texts(const allot_text *texts, int64_t n, uint64_t *h1, uint64_t *h2,
                        uint8_t *ok);

/* The same without the digests: whether each is such a key. */
void allot_check_texts(const allot_text *texts, int64_t n, uint8_t *ok);

/* The digests of the decimal texts of the first numbers, up to one of 10^15 or more; returns how
 * many. */
int64_t allot_digest_numbers(const uint64_t *numbers, int64_t n, uint64_t *h1, uint64_t *h2);

/* As many of them as fill registers; returns how many. */
int64_t allot_digest_avx2(const allot_text *texts, int64_t n, uint64_t *h1, uint64_t *h2,
                          uint8_t *ok);
int64_t allot_digest_avx512(const allot_text *texts, int64_t n, uint64_t *h1, uint64_t *h2,
                            uint8_t *ok);
int64_t allot_digest_numbers_avx2(const uint64_t *numbers, int64_t n, uint64_t *h1, uint64_t *h2);
int64_t allot_digest_numbers_avx512(const uint64_t *numbers, int64_t n, uint64_t *h1, uint64_t *h2);

#endif
