/* How much a JSON text holds and how deep it nests, before anything is made of it.
 *
 * The text is read in parts, as they come. What is no JSON is counted too; the reader refuses it
 * afterwards. */
#ifndef ALLOT_JSON_SHAPE_H
#define ALLOT_JSON_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* values   values and names of members so far
 * depth    lists and objects that are open
 * deepest  the most that were open at once
 * begun    lists and objects that began in this line, and in no other
 * crowded  whether a line has more than one of those, or one goes on in the next line
 * within   where the last part ended */
typedef struct {
    uint64_t values;
    uint32_t depth, deepest, begun;
    bool crowded;
    enum {
        ALLOT_JSON_BETWEEN,
        ALLOT_JSON_WORD, /* a number, true, false or null */
        ALLOT_JSON_TEXT,
        ALLOT_JSON_ESCAPE, /* after a backslash in a text */
    } within;
} allot_json_shape;

/* Reads another part of the text. */
void allot_json_shape_feed(allot_json_shape *shape, const uint8_t *part, size_t size);

#endif
