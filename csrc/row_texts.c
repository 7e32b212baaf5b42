#include "row_texts.h"

#include <string.h>

int64_t allot_row_words_size(const allot_answers *answers, int64_t start, int64_t stop,
                             size_t *size)
{
    const size_t count = allot_words_count(answers);
    for (int64_t row = start; row < stop; row++) {
        const size_t place = allot_words_place(answers, row);
        if (place == count || !answers->words[place].at) return row;
        *size += answers->words[place].size;
    }
    return stop;
}

static inline uint8_t *copy(uint8_t *out, const uint8_t *end, allot_text text)
{
    const size_t room = (size_t)(end - out), size = text.size < room ? text.size : room;
    if (size) memcpy(out, text.at, size);
    return out + size;
}

uint8_t *allot_row_texts_write(const allot_text *units, const allot_answers *columns,
                               size_t columns_count, int64_t start, int64_t n, uint8_t *out,
                               const uint8_t *end)
{
    for (int64_t i = 0; i < n; i++) {
        out = copy(out, end, units[i]);
        for (size_t k = 0; k < columns_count; k++) {
            const size_t place = allot_words_place(&columns[k], start + i);
            if (place < allot_words_count(&columns[k]))
                out = copy(out, end, columns[k].words[place]);
        }
    }
    return out;
}
