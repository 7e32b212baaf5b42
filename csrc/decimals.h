/* The decimal texts of a block of numbers: the keys of units that are whole numbers. */
#ifndef ALLOT_DECIMALS_H
#define ALLOT_DECIMALS_H

#include "column.h"
#include "text.h"

/* Room for the texts of one block, which point into it. */
typedef struct {
    uint64_t groups[2][ALLOT_BLOCK_ROWS]; /* of eight digits: the lowest, and the one above */
    uint8_t digits[ALLOT_BLOCK_ROWS][ALLOT_DIGITS_BYTES];
} allot_decimals;

/* Writes the text of each number, taken as signed or not, as allot_decimal_ending does. A number
 * that is not valid has a text of no bytes. */
void allot_decimal_texts(const uint64_t *numbers, const uint8_t *valid, bool is_signed, int64_t n,
                         allot_decimals *decimals, allot_text *texts);

#endif
