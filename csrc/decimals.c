#include "decimals.h"

#include <assert.h>

#include "paths.h"

/* Every group of digits in the block, at once. */
ALLOT_INLINE void spell_body(uint64_t *groups, int64_t n)
{
    for (int64_t i = 0; i < n; i++) groups[i] = allot_digits_of(groups[i]);
}
ALLOT_CLONES(spell, (uint64_t *groups, int64_t n), (groups, n))

void allot_decimal_texts(const uint64_t *numbers, const uint8_t *valid, bool is_signed, int64_t n,
                         allot_decimals *decimals, allot_text *texts)
{
    assert(n >= 0 && n <= ALLOT_BLOCK_ROWS);
    uint64_t *low = decimals->groups[0], *above = decimals->groups[1];
    for (int64_t i = 0; i < n; i++) {
        const uint64_t rest = numbers[i] / ALLOT_DIGITS_GROUP;
        low[i] = numbers[i] - rest * ALLOT_DIGITS_GROUP;
        above[i] = rest % ALLOT_DIGITS_GROUP;
    }
    spell(low, n);
    spell(above, n);
    for (int64_t i = 0; i < n; i++) {
        uint8_t *end = decimals->digits[i] + ALLOT_DIGITS_BYTES;
        size_t size;
        if (numbers[i] < ALLOT_DIGITS_GROUP * ALLOT_DIGITS_GROUP) {
            allot_store_digits(low[i], end - 8);
            allot_store_digits(above[i], end - 16);
            size = above[i] ? 8 + allot_digits_count(above[i]) : allot_digits_count(low[i]);
        } else { /* 17 digits or more, or a sign */
            size = is_signed ? allot_decimal_signed_ending((int64_t)numbers[i], end)
                             : allot_decimal_ending(numbers[i], end);
        }
        texts[i] = (allot_text){end - size, valid[i] ? size : 0};
    }
}
