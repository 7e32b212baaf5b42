/* A few short texts and what was found for each of them, to be asked before a dearer look-up.
 *
 * A text of up to 16 bytes is two numbers and its size, so it is compared whole without a loop, and
 * no hash of it need be known. It has one line; the next text of that line takes it. Texts that
 * were chosen to share a line cost the dearer look-up, and no more. */
#ifndef ALLOT_RECENT_H
#define ALLOT_RECENT_H

#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

enum {
    ALLOT_RECENT_LINES = 64,
    ALLOT_RECENT_BYTES_MAX = 16
};

typedef struct {
    uint64_t head, tail; /* the first 8 bytes, or what tells fewer apart; the last 8, or 0 */
    uint64_t mark;       /* the size and one; 0 in an empty line */
    void *found;
} allot_recent;

/* A line as the text would have it. `size` is at most ALLOT_RECENT_BYTES_MAX. Of fewer than 8 bytes
 * the parts of the head may overlap: with the size they still tell every text from every other. */
static inline allot_recent allot_recent_text(const uint8_t *text, size_t size)
{
    allot_recent line = {.mark = size + 1};
    if (size >= 8) {
        line.head = allot_load_little64(text);
        line.tail = allot_load_little64(text + size - 8);
    } else if (size >= 4) {
        line.head = allot_load_little32(text) |
                    (uint64_t)allot_load_little32(text + size - 4) << 32;
    } else if (size > 0) {
        line.head = (uint64_t)(text[0] | text[size >> 1] << 8 | text[size - 1] << 16);
    }
    return line;
}

/* The text's own line. */
static inline allot_recent *allot_recent_line(allot_recent *lines, const allot_recent *text)
{
    const uint64_t mixed = (text->head ^ text->tail << 1 ^ text->mark << 61) *
                           UINT64_C(0x9e3779b97f4a7c15);
    return &lines[mixed >> 58];
}

/* What was found for the text, NULL where its line is another's. */
static inline void *allot_recent_found(allot_recent *lines, const allot_recent *text)
{
    const allot_recent *line = allot_recent_line(lines, text);
    const uint64_t other = (line->head ^ text->head) | (line->tail ^ text->tail) |
                           (line->mark ^ text->mark);
    return other ? NULL : line->found;
}

#endif
