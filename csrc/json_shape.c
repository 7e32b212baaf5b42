#include "json_shape.h"

void allot_json_shape_feed(allot_json_shape *shape, const uint8_t *part, size_t size)
{
    allot_json_shape now = *shape;
    for (size_t i = 0; i < size; i++) {
        const uint8_t c = part[i];
        if (now.within == ALLOT_JSON_ESCAPE) {
            now.within = ALLOT_JSON_TEXT;
            continue;
        }
        if (now.within == ALLOT_JSON_TEXT) {
            if (c == '"') now.within = ALLOT_JSON_BETWEEN;
            if (c == '\\') now.within = ALLOT_JSON_ESCAPE;
            continue;
        }
        switch (c) {
        case '"':
            now.values++;
            now.within = ALLOT_JSON_TEXT;
            break;
        case '[':
        case '{':
            now.values++;
            if (++now.depth > now.deepest) now.deepest = now.depth;
            now.within = ALLOT_JSON_BETWEEN;
            break;
        case ']':
        case '}':
            if (now.depth) now.depth--;
            now.within = ALLOT_JSON_BETWEEN;
            break;
        case ',':
        case ':':
        case ' ':
        case '\t':
        case '\r':
        case '\n':
            now.within = ALLOT_JSON_BETWEEN;
            break;
        default:
            if (now.within != ALLOT_JSON_WORD) now.values++;
            now.within = ALLOT_JSON_WORD;
        }
    }
    *shape = now;
}
